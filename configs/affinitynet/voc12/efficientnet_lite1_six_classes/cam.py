# The classifier on EfficientNet-Lite1, six classes of PASCAL VOC 2012, the small recipe.
_base_ = [
    '../../../_base_/models/cam_efficientnet_lite1.py',
    '../../../_base_/datasets/voc12_six_classes_cam.py',
    '../../../_base_/schedules/sgd_poly.py',
    '../../../_base_/default_runtime.py',
]
work_dir = 'work_dirs/affinitynet/voc12/efficientnet_lite1_six_classes/cam'
model = dict(
    head=dict(num_classes=6),
    test_cfg=dict(scale_weights=(1, 1, 3), peak_quantile=0.95),
)
optim_wrapper = dict(paramwise_cfg=dict(custom_keys={'head.classifier': dict(lr_mult=10)}))
train_cfg = dict(max_iters=1000)
# The background of the maps, and the exponents of a strong and a weak one for the affinity labels.
test_cfg = dict(
    chains=dict(
        affinity_labels=dict(labeler=dict(alpha_low=1, alpha_high=6)),
        cam_dcrf=dict(refiners=[dict(type='mmwsss.Background', score=0.32), dict(type='mmwsss.DenseCRF')]),
    ),
)
test_evaluator = _base_.test_evaluator
test_evaluator[0].update(background_score=0.32)
