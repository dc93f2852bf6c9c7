# The classifier on ResNet-38, CamVid, the published recipe.
_base_ = [
    '../../../_base_/models/cam_resnet38d.py',
    '../../../_base_/datasets/camvid_cam_published.py',
    '../../../_base_/schedules/psa_cls.py',
    '../../../_base_/default_runtime.py',
]
work_dir = 'work_dirs/affinitynet/camvid/resnet38d/cam'
model = dict(
    backbone=dict(
        init_cfg=dict(type='Pretrained', checkpoint='data/weights/resnet38d_imagenet.pth', prefix='backbone.'),
    ),
    head=dict(num_classes=11),
)
train_cfg = dict(max_iters=400)
