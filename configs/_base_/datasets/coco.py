# COCO, completed by tools/dataset_converters/coco.py: 80 classes and a background. All masks of the training images
# measure labels. A copy of this file with another year, 2017, is all that the images of 2017 take.
year = '2014'
data_root = 'data/coco'
image_labels = f'{data_root}/image_labels{year}.json'
train_dataset = dict(
    type='mmwsss.COCOObjectDataset',
    data_root=data_root,
    ann_file=f'lists/train{year}.txt',
    data_prefix=dict(img_path=f'train{year}', seg_map_path=f'masks/train{year}'),
)
val_dataset = dict(
    type='mmwsss.COCOObjectDataset',
    data_root=data_root,
    ann_file=f'lists/val{year}.txt',
    data_prefix=dict(img_path=f'val{year}', seg_map_path=f'masks/val{year}'),
)
