"""A folder of images with three classes, as the converter of folders writes it."""

data_root = 'data/folder'
dataset = dict(
    type='mmwsss.ImageLabelDataset',
    dataset=dict(
        type='mmwsss.FolderDataset',
        data_root=data_root,
        ann_file='train.txt',
        data_prefix=dict(img_path='images', seg_map_path='masks'),
        metainfo=dict(classes=('background', 'disc', 'stripe')),
    ),
    image_labels='data/folder/image_labels.json',
)
in_order = dict(type='DefaultSampler', shuffle=False, round_up=False)
train_dataloader = dict(
    batch_size=2, num_workers=0, sampler=dict(type='InfiniteSampler', shuffle=True), dataset=dataset
)
test_dataloader = dict(batch_size=1, num_workers=0, sampler=in_order, dataset=dataset)
