# Cityscapes, completed by tools/dataset_converters/cityscapes.py. There is no background: the 19 evaluated classes
# cover the image, what is none of them is ignored, and image-level labels are multi-hot over all 19. All masks of the
# training images measure labels.
data_root = 'data/cityscapes'
image_labels = f'{data_root}/image_labels.json'
train_dataset = dict(
    type='CityscapesDataset',
    data_root=data_root,
    ann_file='lists/train.txt',
    data_prefix=dict(img_path='leftImg8bit/train', seg_map_path='gtFine/train'),
)
val_dataset = dict(
    type='CityscapesDataset',
    data_root=data_root,
    ann_file='lists/val.txt',
    data_prefix=dict(img_path='leftImg8bit/val', seg_map_path='gtFine/val'),
)
