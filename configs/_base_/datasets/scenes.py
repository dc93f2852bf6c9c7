# The built-in data set (tools/dataset_converters/scenes.py).
data_root = 'data/scenes'
image_labels = f'{data_root}/image_labels.json'
mask_list = 'lists/train.txt'
train_dataset = dict(
    type='mmwsss.ScenesDataset',
    data_root=data_root,
    ann_file='lists/train.txt',
    data_prefix=dict(img_path='images', seg_map_path='masks'),
)
val_dataset = dict(
    type='mmwsss.ScenesDataset',
    data_root=data_root,
    ann_file='lists/val.txt',
    data_prefix=dict(img_path='images', seg_map_path='masks'),
)
