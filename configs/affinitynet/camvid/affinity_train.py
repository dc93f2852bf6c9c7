_base_ = [
    '{{$MMWSSS_SETTINGS:./settings.py}}',
    '../../_base_/default_runtime.py',
    '../../_base_/datasets/affinity_train.py',
    '../../_base_/models/affinity_mobilenet_v2.py',
    '../../_base_/schedules/sgd_poly.py',
]
model = dict(
    backbone=dict(init_cfg=dict(type='Pretrained', checkpoint={{_base_.seed_weights}}, prefix='backbone.')),
    head=dict(with_background={{_base_.with_background}}),
)
train_pipeline = [
    dict(type='LoadPhoto'),
    dict(type='LoadLabelMap', source='affinity_label'),
    dict(type='RandomChoiceResize', scales={{_base_.label_scales}}, keep_ratio=True, resize_type='Resize'),
    dict(type='RandomFlip', prob=0.5),
    dict(type='PhotoMetricDistortion'),
    dict(type='RandomCropOrPad', crop_size={{_base_.label_crop}}, pad_val=(127.5, 127.5, 127.5)),
    dict(type='PackWeakInputs'),
]
train_dataloader = dict(
    dataset=dict(
        dataset={{_base_.train_photos}},
        with_background={{_base_.with_background}},
        affinity_label_dir={{_base_.affinity_label_dir}},
        pipeline=train_pipeline,
    )
)
optim_wrapper = dict(optimizer=dict(lr=0.08))
train_cfg = dict(max_iters={{_base_.affinity_iters}})
