_base_ = '../efficientnet_lite1/affinity.py'
work_dir = 'work_dirs/affinitynet/voc12/efficientnet_lite1_part/affinity'
model = dict(
    backbone=dict(init_cfg=dict(checkpoint='work_dirs/affinitynet/voc12/efficientnet_lite1_part/cam/final.pth'))
)
train_dataloader = dict(
    dataset=dict(
        dataset=dict(ann_file='ImageSets/Segmentation/trainaug.txt'),
        affinity_label_dir='work_dirs/affinitynet/voc12/efficientnet_lite1_part/cam/affinity_labels',
    )
)
test_dataloader = dict(
    dataset=dict(
        dataset=dict(ann_file='ImageSets/Segmentation/trainaug.txt'),
        seed_dir='work_dirs/affinitynet/voc12/efficientnet_lite1_part/cam/seeds',
    )
)
train_cfg = dict(max_iters=700)
