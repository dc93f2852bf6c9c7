_base_ = ['./camvid.py', './affinity.py']
train_pipeline = [
    dict(type='mmwsss.LoadImageFromFile'),
    dict(type='mmwsss.LoadLabelMap', source='affinity_label'),
    dict(type='RandomResize', scale=(640, 640), ratio_range=(0.65, 0.9), keep_ratio=True),
    dict(type='RandomFlip', prob=0.5),
    dict(type='PhotoMetricDistortion'),
    dict(type='mmwsss.RandomCropOrPad', crop_size=(320, 320), pad_val=(127.5, 127.5, 127.5)),
    dict(type='mmwsss.PackWeakInputs'),
]
test_pipeline = [
    dict(type='mmwsss.LoadImageFromFile'),
    dict(type='mmwsss.LoadSeeds'),
    dict(type='Resize', scale=(480, 480), keep_ratio=True),
    dict(type='mmwsss.PackWeakInputs'),
]
train_dataloader = dict(dataset=dict(dataset={{_base_.train_dataset}}, pipeline=train_pipeline))
test_dataloader = dict(
    dataset=dict(dataset={{_base_.train_dataset}}, image_labels={{_base_.image_labels}}, pipeline=test_pipeline)
)
