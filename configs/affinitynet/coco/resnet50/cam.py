# The classifier on ResNet-50, COCO, the published recipe's data and IRN's schedule.
_base_ = [
    '../../../_base_/models/cam_resnet50.py',
    '../../../_base_/datasets/coco_cam_published.py',
    '../../../_base_/schedules/irn_cls.py',
    '../../../_base_/default_runtime.py',
]
work_dir = 'work_dirs/affinitynet/coco/resnet50/cam'
model = dict(
    backbone=dict(
        init_cfg=dict(type='Pretrained', checkpoint='https://download.pytorch.org/models/resnet50-0676ba61.pth'),
    ),
    head=dict(num_classes=80),
)
train_cfg = dict(max_iters=76950)  # as many epochs as on VOC: 15 of some 82,000 images in batches of 16
