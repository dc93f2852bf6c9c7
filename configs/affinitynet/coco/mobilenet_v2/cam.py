# The classifier on MobileNetV2, COCO, the small recipe.
_base_ = [
    '../../../_base_/models/cam_mobilenet_v2.py',
    '../../../_base_/datasets/coco_cam.py',
    '../../../_base_/schedules/sgd_poly.py',
    '../../../_base_/default_runtime.py',
]
work_dir = 'work_dirs/affinitynet/coco/mobilenet_v2/cam'
model = dict(
    backbone=dict(init_cfg=dict(type='Pretrained', checkpoint='mmcls://mobilenet_v2')),
    head=dict(
        num_classes=80,
        expand=dict(init_cfg=dict(type='Pretrained', checkpoint='mmcls://mobilenet_v2', prefix='conv2.')),
    ),
)
optim_wrapper = dict(paramwise_cfg=dict(custom_keys={'head.classifier': dict(lr_mult=10)}))
train_cfg = dict(max_iters=26000)
# The background of the maps, and the exponents of a strong and a weak one for the affinity labels, chosen on VOC.
test_cfg = dict(
    chains=dict(
        affinity_labels=dict(labeler=dict(alpha_low=1.2, alpha_high=7)),
        cam_dcrf=dict(refiners=[dict(type='mmwsss.Background', score=0.34), dict(type='mmwsss.DenseCRF')]),
    ),
)
test_evaluator = _base_.test_evaluator
test_evaluator[0].update(background_score=0.34)
