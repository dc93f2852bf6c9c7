_base_ = ['./camvid_tiles.py', './pixels.py']
train_pipeline = [
    dict(type='mmwsss.LoadImageFromFile'),
    dict(type='mmwsss.LoadLabelMap', source='pseudo_mask'),
    dict(type='RandomResize', scale=(192, 192), ratio_range=(0.8, 1.2), keep_ratio=True),
    dict(type='RandomFlip', prob=0.5),
    dict(type='mmwsss.RandomCropOrPad', crop_size=(192, 192), pad_val=(127.5, 127.5, 127.5)),
    dict(type='PackSegInputs'),
]
train_dataloader = dict(dataset=dict(dataset={{_base_.train_dataset}}, pipeline=train_pipeline))
