_base_ = ['./camvid_tiles.py', './segmentor.py']
# Tiles at 1.1 to 2.1 times their size of 120 x 120 pixels, whole images at 1.6 times theirs.
train_pipeline = [
    dict(type='mmwsss.LoadImageFromFile'),
    dict(type='mmwsss.LoadLabelMap', source='pseudo_mask'),
    dict(type='RandomResize', scale=(256, 256), ratio_range=(0.5, 1.0), keep_ratio=True),
    dict(type='RandomFlip', prob=0.5),
    dict(type='PhotoMetricDistortion'),
    dict(type='mmwsss.RandomCropOrPad', crop_size=(192, 192), pad_val=(127.5, 127.5, 127.5)),
    dict(type='PackSegInputs'),
]
test_pipeline = [
    dict(type='LoadImageFromFile', _scope_='mmwsss'),
    dict(type='Resize', scale=(768, 768), keep_ratio=True),
    dict(type='LoadAnnotations'),
    dict(type='mmwsss.PackWeakInputs'),
]
tta_pipeline = [
    dict(type='LoadImageFromFile', _scope_='mmwsss'),
    dict(
        type='TestTimeAug',
        transforms=[
            [
                dict(type='Resize', scale=(640, 640), keep_ratio=True),
                dict(type='Resize', scale=(768, 768), keep_ratio=True),
                dict(type='Resize', scale=(960, 960), keep_ratio=True),
            ],
            [dict(type='RandomFlip', prob=0.0), dict(type='RandomFlip', prob=1.0)],
            [dict(type='LoadAnnotations')],
            [dict(type='mmwsss.PackWeakInputs')],
        ],
    ),
]
train_dataloader = dict(dataset=dict(dataset={{_base_.train_dataset}}, pipeline=train_pipeline))
val_dataloader = dict(
    dataset=dict(
        dataset=dict(
            type='mmwsss.CamVidDataset',
            data_root='data/camvid',
            data_prefix=dict(img_path='val', seg_map_path='valannot'),
        ),
        pipeline=test_pipeline,
    )
)
test_dataloader = dict(dataset=dict(dataset={{_base_.test_dataset}}, pipeline=test_pipeline))
