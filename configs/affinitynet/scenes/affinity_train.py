_base_ = [
    '{{$MMWSSS_SETTINGS:./settings.py}}',
    '../../_base_/default_runtime.py',
    '../../_base_/datasets/scenes_train.py',
    '../../_base_/models/affinity_r18.py',
    '../../_base_/schedules/sgd_poly.py',
]
randomness = dict(seed={{_base_.seed}})
model = dict(backbone=dict(init_cfg=dict(type='Pretrained', checkpoint={{_base_.seed_weights}}, prefix='backbone.')))
train_pipeline = [
    dict(type='LoadPhoto'),
    dict(type='LoadLabelMap', source='affinity_label'),
    dict(type='RandomFlip', prob=[0.3, 0.3], direction=['horizontal', 'vertical']),
    dict(type='PackWeakInputs'),
]
train_dataloader = dict(
    dataset=dict(
        dataset={{_base_.train_photos}},
        affinity_label_dir={{_base_.affinity_label_dir}},
        pipeline=train_pipeline,
    )
)
optim_wrapper = dict(optimizer=dict(lr=0.1))
train_cfg = dict(max_iters={{_base_.affinity_iters}})
