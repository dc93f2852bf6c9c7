# A small classifier for any data set: coco/ and cityscapes/ link to the step configs of this folder.
_base_ = [
    '{{$MMWSSS_SETTINGS:./settings.py}}',
    '../../_base_/default_runtime.py',
    '../../_base_/datasets/seed_train.py',
    '../../_base_/models/cam_mobilenet_v2.py',
    '../../_base_/schedules/sgd_poly.py',
]
model = dict(
    backbone=dict(init_cfg=dict(type='Pretrained', checkpoint={{_base_.weights}})),
    head=dict(
        num_labels={{_base_.num_labels}},
        expand=dict(init_cfg=dict(type='Pretrained', checkpoint={{_base_.weights}}, prefix='conv2.')),
    ),
)
train_pipeline = [
    dict(type='LoadPhoto'),
    dict(type='RandomChoiceResize', scales={{_base_.seed_scales}}, keep_ratio=True, resize_type='Resize'),
    dict(type='RandomFlip', prob=0.5),
    dict(type='PhotoMetricDistortion'),
    dict(type='RandomCropOrPad', crop_size={{_base_.seed_crop}}, pad_val=(127.5, 127.5, 127.5)),
    dict(type='PackWeakInputs'),
]
test_pipeline = [
    dict(type='LoadPhoto'),
    dict(type='Resize', scale={{_base_.test_scale}}, keep_ratio=True),
    dict(type='PackWeakInputs'),
]
train_dataloader = dict(
    dataset=dict(
        dataset={{_base_.train_photos}},
        image_labels={{_base_.image_labels}},
        with_background={{_base_.with_background}},
        pipeline=train_pipeline,
    )
)
val_dataloader = dict(
    dataset=dict(
        dataset={{_base_.val_photos}},
        image_labels={{_base_.image_labels}},
        with_background={{_base_.with_background}},
        pipeline=test_pipeline,
    )
)
optim_wrapper = dict(optimizer=dict(lr=0.004), paramwise_cfg=dict(custom_keys={'head.classifier': dict(lr_mult=10)}))
train_cfg = dict(max_iters={{_base_.seed_iters}})
