_base_ = ['./base.py', './images.py']
work_dir = 'work_dirs/tiny/segmentor'
model = dict(
    type='EncoderDecoder',
    decode_head=dict(
        type='FCNHead',
        in_channels=64,
        in_index=3,
        channels=8,
        num_convs=1,
        num_classes=3,
        norm_cfg=dict(type='BN', requires_grad=True),
    ),
    test_cfg=dict(mode='whole'),
)
train_pipeline = [
    dict(type='mmwsss.LoadImageFromFile'),
    dict(type='mmwsss.LoadLabelMap', source='pseudo_mask'),
    dict(type='mmwsss.RandomCropOrPad', crop_size=(64, 64), pad_val=(127.5, 127.5, 127.5)),
    dict(type='PackSegInputs'),
]
test_pipeline = [
    dict(type='LoadImageFromFile', _scope_='mmwsss'),
    dict(type='Resize', scale=(64, 64), keep_ratio=True),
    dict(type='LoadAnnotations'),
    dict(type='mmwsss.PackWeakInputs'),
]
train_dataloader = dict(
    dataset=dict(pseudo_mask_dir='work_dirs/tiny/affinity/pseudo_masks', pipeline=train_pipeline),
)
test_dataloader = dict(dataset=dict(pipeline=test_pipeline))
test_cfg = dict(type='TestLoop', fp16=True)
test_evaluator = dict(type='mmwsss.SegmentorMetric', iou_metrics=['mIoU'])
