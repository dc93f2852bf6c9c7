_base_ = [
    '{{$MMWSSS_SETTINGS:./settings.py}}',
    '../../_base_/default_runtime.py',
    '../../_base_/datasets/affinity_train.py',
    '../../_base_/models/affinity_vgg16.py',
    '../../_base_/schedules/psa_aff_vgg16.py',
]
# From ImageNet, not from the classifier: that gives the published figures.
model = dict(
    backbone=dict(init_cfg=dict(type='Pretrained', checkpoint={{_base_.weights}}, prefix='backbone.')),
    head=dict(border={{_base_.border}}),
)
train_pipeline = [
    dict(type='LoadPhoto'),
    dict(type='LoadLabelMap', source='affinity_label'),
    dict(type='PhotoMetricDistortion', contrast_range=(0.7, 1.3), saturation_range=(0.7, 1.3)),
    dict(type='RandomCropOrPad', crop_size=(448, 448), pad_val=(104.008, 116.669, 122.675)),
    dict(type='RandomFlip', prob=0.5),
    dict(type='PackWeakInputs'),
]
train_dataloader = dict(
    batch_size=8,
    num_workers={{_base_.num_workers}},
    dataset=dict(
        dataset={{_base_.train_photos}},
        affinity_label_dir={{_base_.affinity_label_dir}},
        pipeline=train_pipeline,
    ),
)
train_cfg = dict(max_iters={{_base_.affinity_iters}})
