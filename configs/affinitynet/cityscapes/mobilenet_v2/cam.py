# The classifier on MobileNetV2, Cityscapes, the small recipe.
_base_ = [
    '../../../_base_/models/cam_mobilenet_v2.py',
    '../../../_base_/datasets/cityscapes_cam.py',
    '../../../_base_/schedules/sgd_poly.py',
    '../../../_base_/default_runtime.py',
]
work_dir = 'work_dirs/affinitynet/cityscapes/mobilenet_v2/cam'
model = dict(
    backbone=dict(init_cfg=dict(type='Pretrained', checkpoint='mmcls://mobilenet_v2')),
    head=dict(
        num_classes=19,
        expand=dict(init_cfg=dict(type='Pretrained', checkpoint='mmcls://mobilenet_v2', prefix='conv2.')),
    ),
)
optim_wrapper = dict(paramwise_cfg=dict(custom_keys={'head.classifier': dict(lr_mult=10)}))
train_cfg = dict(max_iters=2800)
