# DeepLabV1 on the step's own backbone, as those who follow the paper train it.
_base_ = [
    '{{$MMWSSS_SETTINGS:./settings.py}}',
    '../../_base_/default_runtime.py',
    '../../_base_/datasets/segmentor.py',
    '../../_base_/models/deeplabv1_vgg16.py',
    '../../_base_/schedules/psa_segmentor.py',
]
model = dict(
    backbone=dict(init_cfg=dict(type='Pretrained', checkpoint={{_base_.weights}}, prefix='backbone.')),
    decode_head=dict(num_classes={{_base_.num_classes}}),
)
train_pipeline = [
    dict(type='LoadPhoto'),
    dict(type='LoadLabelMap', source='pseudo_mask'),
    dict(type='RandomResize', scale=(500, 500), ratio_range=(0.5, 1.5), keep_ratio=True),
    dict(type='RandomFlip', prob=0.5),
    dict(type='PhotoMetricDistortion'),
    dict(type='RandomCropOrPad', crop_size=(448, 448), pad_val=(104.008, 116.669, 122.675)),
    dict(type='PackSegInputs'),
]
test_pipeline = [dict(type='LoadPhoto'), dict(type='LoadAnnotations'), dict(type='PackSegInputs')]
train_dataloader = dict(
    batch_size=10,
    num_workers={{_base_.num_workers}},
    dataset=dict(
        dataset={{_base_.train_photos}},
        pseudo_mask_dir={{_base_.pseudo_mask_dir}},
        pipeline=train_pipeline,
    ),
)
val_dataloader = dict(
    dataset=dict(type='ImageLabelDataset', dataset={{_base_.val_photos}}, pipeline=test_pipeline, test_mode=True)
)
test_dataloader = val_dataloader
train_cfg = dict(max_iters={{_base_.segmentor_iters}})
