# The classifier on EfficientNet-Lite1, Cityscapes, the small recipe.
_base_ = [
    '../../../_base_/models/cam_efficientnet_lite1.py',
    '../../../_base_/datasets/cityscapes_cam.py',
    '../../../_base_/schedules/sgd_poly.py',
    '../../../_base_/default_runtime.py',
]
work_dir = 'work_dirs/affinitynet/cityscapes/efficientnet_lite1/cam'
model = dict(head=dict(num_classes=19))
optim_wrapper = dict(paramwise_cfg=dict(custom_keys={'head.classifier': dict(lr_mult=10)}))
train_cfg = dict(max_iters=2800)
