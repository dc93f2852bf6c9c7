_base_ = '../efficientnet_lite1/pixels.py'
work_dir = 'work_dirs/fast/voc12/efficientnet_lite1_part/pixels'
train_dataloader = dict(
    sampler=dict(oversample_thr=0.25),
    dataset=dict(
        dataset=dict(ann_file='ImageSets/Segmentation/trainaug.txt'),
        pseudo_mask_dir='work_dirs/fast/voc12/efficientnet_lite1_part/affinity/pseudo_masks',
    ),
)
