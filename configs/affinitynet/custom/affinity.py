# AffinityNet on EfficientNet-Lite1, the small recipe.
_base_ = [
    './data.py',
    '../../_base_/models/affinity_efficientnet_lite1.py',
    '../../_base_/datasets/affinity.py',
    '../../_base_/schedules/sgd_poly.py',
    '../../_base_/default_runtime.py',
]
work_dir = 'work_dirs/affinitynet/custom/affinity'
# The classifier's backbone knows the classes; frozen, ImageNet's gives a worse walk.
model = dict(
    backbone=dict(
        init_cfg=dict(type='Pretrained', checkpoint='work_dirs/affinitynet/custom/cam/final.pth', prefix='backbone.')
    )
)
optim_wrapper = dict(optimizer=dict(lr=0.08))
# The sizes of data.py.
train_pipeline, test_pipeline = _base_.train_pipeline, _base_.test_pipeline
train_pipeline[2].update(scale=(_base_.max_side,) * 2)
test_pipeline[2].update(scale=(_base_.max_side,) * 2)
train_dataloader = dict(
    dataset=dict(
        dataset={{_base_.train_dataset}},
        affinity_label_dir='work_dirs/affinitynet/custom/cam/affinity_labels',
        pipeline=train_pipeline,
    )
)
test_dataloader = dict(
    dataset=dict(
        dataset={{_base_.train_dataset}},
        image_labels={{_base_.image_labels}},
        seed_dir='work_dirs/affinitynet/custom/cam/seeds',
        pipeline=test_pipeline,
    )
)
train_cfg = dict(max_iters=1400)
