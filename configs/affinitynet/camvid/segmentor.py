_base_ = [
    '{{$MMWSSS_SETTINGS:./settings.py}}',
    '../../_base_/default_runtime.py',
    '../../_base_/datasets/segmentor.py',
    '../../_base_/models/deeplabv3plus_mobilenet_v2.py',
    '../../_base_/schedules/sgd_poly.py',
]
model = dict(
    backbone=dict(init_cfg=dict(type='Pretrained', checkpoint={{_base_.seed_weights}}, prefix='backbone.')),
    decode_head=dict(num_classes={{_base_.num_classes}}),
)
train_pipeline = [
    dict(type='LoadPhoto'),
    dict(type='LoadLabelMap', source='pseudo_mask'),
    dict(type='RandomChoiceResize', scales={{_base_.label_scales}}, keep_ratio=True, resize_type='Resize'),
    dict(type='RandomFlip', prob=0.5),
    dict(type='PhotoMetricDistortion'),
    dict(type='RandomCropOrPad', crop_size={{_base_.label_crop}}, pad_val=(127.5, 127.5, 127.5)),
    dict(type='PackSegInputs'),
]
test_pipeline = [
    dict(type='LoadPhoto'),
    dict(type='Resize', scale={{_base_.test_scale}}, keep_ratio=True),
    dict(type='LoadAnnotations'),
    dict(type='PackSegInputs'),
]
train_dataloader = dict(
    dataset=dict(
        dataset={{_base_.train_photos}},
        with_background={{_base_.with_background}},
        pseudo_mask_dir={{_base_.pseudo_mask_dir}},
        pipeline=train_pipeline,
    )
)
# The wrapper gives the photographs and masks of the data set inside it.
val_dataloader = dict(
    dataset=dict(type='ImageLabelDataset', dataset={{_base_.val_photos}}, pipeline=test_pipeline, test_mode=True)
)
test_dataloader = dict(
    dataset=dict(type='ImageLabelDataset', dataset={{_base_.test_photos}}, pipeline=test_pipeline, test_mode=True)
)
tta_pipeline = [
    dict(type='LoadPhoto'),
    dict(
        type='TestTimeAug',
        transforms=[
            {{_base_.tta_resizes}},
            [dict(type='RandomFlip', prob=0.0), dict(type='RandomFlip', prob=1.0)],
            [dict(type='LoadAnnotations')],
            [dict(type='PackSegInputs')],
        ],
    ),
]
optim_wrapper = dict(optimizer=dict(lr=0.002), paramwise_cfg=dict(custom_keys={'decode_head': dict(lr_mult=10)}))
train_cfg = dict(max_iters={{_base_.segmentor_iters}})
