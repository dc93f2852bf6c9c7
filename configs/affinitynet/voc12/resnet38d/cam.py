# The classifier on ResNet-38, PASCAL VOC 2012, the published recipe.
_base_ = [
    '../../../_base_/models/cam_resnet38d.py',
    '../../../_base_/datasets/voc12_cam_published.py',
    '../../../_base_/schedules/psa_cls.py',
    '../../../_base_/default_runtime.py',
]
work_dir = 'work_dirs/affinitynet/voc12/resnet38d/cam'
model = dict(
    backbone=dict(
        init_cfg=dict(type='Pretrained', checkpoint='data/weights/resnet38d_imagenet.pth', prefix='backbone.'),
    ),
    head=dict(num_classes=20),
)
train_cfg = dict(max_iters=9915)  # 15 epochs of 10,582 images in batches of 16
