_base_ = [
    '{{$MMWSSS_SETTINGS:./settings.py}}',
    '../../_base_/default_runtime.py',
    '../../_base_/datasets/seed_train.py',
    '../../_base_/models/cam_vgg16.py',
    '../../_base_/schedules/psa_cls.py',
]
model = dict(
    backbone=dict(init_cfg=dict(type='Pretrained', checkpoint={{_base_.weights}}, prefix='backbone.')),
    head=dict(num_labels={{_base_.num_labels}}),
)
train_pipeline = [
    dict(type='LoadPhoto'),
    dict(
        type='RandomChoiceResize',
        scales=[(side, side) for side in range(256, 513)],
        keep_ratio=True,
        resize_type='Resize',
    ),
    dict(type='RandomFlip', prob=0.5),
    dict(type='PhotoMetricDistortion', contrast_range=(0.7, 1.3), saturation_range=(0.7, 1.3)),
    dict(type='RandomCropOrPad', crop_size=(448, 448), pad_val=(104.008, 116.669, 122.675)),
    dict(type='PackWeakInputs'),
]
test_pipeline = [dict(type='LoadPhoto'), dict(type='PackWeakInputs')]
train_dataloader = dict(
    num_workers={{_base_.num_workers}},
    dataset=dict(dataset={{_base_.train_photos}}, image_labels={{_base_.image_labels}}, pipeline=train_pipeline),
)
val_dataloader = dict(
    dataset=dict(dataset={{_base_.val_photos}}, image_labels={{_base_.image_labels}}, pipeline=test_pipeline)
)
train_cfg = dict(max_iters={{_base_.seed_iters}})
