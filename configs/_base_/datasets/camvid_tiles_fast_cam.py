_base_ = ['./camvid_tiles.py', './fast_cam.py']
# A tile has 120 x 120 pixels. As all are of one size, batches of them are not padded.
train_pipeline = [
    dict(type='mmwsss.LoadImageFromFile'),
    dict(type='Resize', scale=(192, 192), keep_ratio=True),
    dict(type='mmwsss.PackWeakInputs'),
]
test_pipeline = [
    dict(type='mmwsss.LoadImageFromFile'),
    dict(type='Resize', scale=(256, 256), keep_ratio=True),
    dict(type='mmwsss.PackWeakInputs'),
]
train_dataloader = dict(
    batch_size=32,
    dataset=dict(dataset={{_base_.train_dataset}}, image_labels={{_base_.image_labels}}, pipeline=train_pipeline),
)
val_dataloader = dict(
    batch_size=32,
    dataset=dict(dataset={{_base_.val_dataset}}, image_labels={{_base_.image_labels}}, pipeline=train_pipeline),
)
test_dataloader = dict(
    batch_size=16,
    dataset=dict(dataset={{_base_.train_dataset}}, image_labels={{_base_.image_labels}}, pipeline=test_pipeline),
)
