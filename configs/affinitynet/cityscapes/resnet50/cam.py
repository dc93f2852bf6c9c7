# The classifier on ResNet-50, Cityscapes, the published recipe's data and IRN's schedule.
_base_ = [
    '../../../_base_/models/cam_resnet50.py',
    '../../../_base_/datasets/cityscapes_cam_published.py',
    '../../../_base_/schedules/irn_cls.py',
    '../../../_base_/default_runtime.py',
]
work_dir = 'work_dirs/affinitynet/cityscapes/resnet50/cam'
model = dict(
    backbone=dict(
        init_cfg=dict(type='Pretrained', checkpoint='https://download.pytorch.org/models/resnet50-0676ba61.pth'),
    ),
    head=dict(num_classes=19),
)
train_cfg = dict(max_iters=2800)
