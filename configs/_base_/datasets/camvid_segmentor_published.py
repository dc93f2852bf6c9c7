_base_ = ['./camvid.py', './segmentor_published.py']
train_pipeline = [
    dict(type='mmwsss.LoadImageFromFile'),
    dict(type='mmwsss.LoadLabelMap', source='pseudo_mask'),
    dict(type='RandomResize', scale=(640, 640), ratio_range=(0.65, 0.9), keep_ratio=True),
    dict(type='RandomFlip', prob=0.5),
    dict(type='PhotoMetricDistortion'),
    dict(type='mmwsss.RandomCropOrPad', crop_size=(320, 320), pad_val=(103.53, 116.28, 123.675)),
    dict(type='PackSegInputs'),
]
test_pipeline = [
    dict(type='LoadImageFromFile', _scope_='mmwsss'),
    dict(type='Resize', scale=(480, 480), keep_ratio=True),
    dict(type='LoadAnnotations'),
    dict(type='mmwsss.PackWeakInputs'),
]
tta_pipeline = [
    dict(type='LoadImageFromFile', _scope_='mmwsss'),
    dict(
        type='TestTimeAug',
        transforms=[
            [
                dict(type='Resize', scale=(384, 384), keep_ratio=True),
                dict(type='Resize', scale=(480, 480), keep_ratio=True),
                dict(type='Resize', scale=(640, 640), keep_ratio=True),
            ],
            [dict(type='RandomFlip', prob=0.0), dict(type='RandomFlip', prob=1.0)],
            [dict(type='LoadAnnotations')],
            [dict(type='mmwsss.PackWeakInputs')],
        ],
    ),
]
train_dataloader = dict(dataset=dict(dataset={{_base_.train_dataset}}, pipeline=train_pipeline))
val_dataloader = dict(dataset=dict(dataset={{_base_.val_dataset}}, pipeline=test_pipeline))
test_dataloader = dict(dataset=dict(dataset={{_base_.test_dataset}}, pipeline=test_pipeline))
