# The classifier on EfficientNet-Lite1, the small recipe.
_base_ = [
    './data.py',
    '../../_base_/models/cam_efficientnet_lite1.py',
    '../../_base_/datasets/cam.py',
    '../../_base_/schedules/sgd_poly.py',
    '../../_base_/default_runtime.py',
]
work_dir = 'work_dirs/affinitynet/custom/cam'
model = dict(
    head=dict(num_classes={{_base_.num_labels}}),
    test_cfg=dict(scale_weights=(1, 1, 3), peak_quantile=0.95),
)
# The sizes of data.py.
train_pipeline, test_pipeline = _base_.train_pipeline, _base_.test_pipeline
train_pipeline[1].update(scale=(round(1.2 * _base_.max_side),) * 2)
test_pipeline[1].update(scale=(_base_.max_side,) * 2)
train_dataloader = dict(
    dataset=dict(dataset={{_base_.train_dataset}}, image_labels={{_base_.image_labels}}, pipeline=train_pipeline)
)
val_dataloader = dict(
    dataset=dict(dataset={{_base_.val_dataset}}, image_labels={{_base_.image_labels}}, pipeline=test_pipeline)
)
# Labels are measured wherever there is a mask.
test_dataloader = dict(
    dataset=dict(dataset={{_base_.train_dataset}}, image_labels={{_base_.image_labels}}, pipeline=test_pipeline)
)
optim_wrapper = dict(paramwise_cfg=dict(custom_keys={'head.classifier': dict(lr_mult=10)}))
# A batch holds 16 images; this suits some hundreds to some thousands.
train_cfg = dict(max_iters=800)
# The background of the maps, and the exponents of a strong and a weak one for the affinity labels, chosen on VOC.
test_cfg = dict(
    chains=dict(
        affinity_labels=dict(labeler=dict(alpha_low=1, alpha_high=6)),
        cam_dcrf=dict(refiners=[dict(type='mmwsss.Background', score=0.32), dict(type='mmwsss.DenseCRF')]),
    ),
)
test_evaluator = _base_.test_evaluator
test_evaluator[0].update(background_score=0.32)
