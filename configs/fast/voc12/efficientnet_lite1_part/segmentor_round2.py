# The second round: the same segmentor, trained afresh on the masks that the first one made.
_base_ = '../efficientnet_lite1/segmentor.py'
work_dir = 'work_dirs/fast/voc12/efficientnet_lite1_part/segmentor_round2'
train_dataloader = dict(
    sampler=dict(oversample_thr=0.25),
    dataset=dict(
        dataset=dict(ann_file='ImageSets/Segmentation/trainaug.txt'),
        pseudo_mask_dir='work_dirs/fast/voc12/efficientnet_lite1_part/segmentor_relabel/pseudo_masks',
    ),
)
val_dataloader = dict(dataset=dict(dataset=dict(ann_file='ImageSets/Segmentation/val2007.txt')))
test_dataloader = dict(dataset=dict(dataset=dict(ann_file='ImageSets/Segmentation/val2007.txt')))
train_cfg = dict(max_iters=1500)
