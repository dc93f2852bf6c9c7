# PASCAL VOC 2012, with the augmented list of training images.
data_root = 'data/VOCdevkit/VOC2012'
image_labels = f'{data_root}/image_labels.json'
# Images of the training list whose labels are compared with masks; nothing trains on these masks.
mask_list = 'ImageSets/Segmentation/train.txt'
train_dataset = dict(
    type='PascalVOCDataset',
    data_root=data_root,
    ann_file='ImageSets/Segmentation/train_aug.txt',
    data_prefix=dict(img_path='JPEGImages', seg_map_path='SegmentationClass'),
)
val_dataset = dict(
    type='PascalVOCDataset',
    data_root=data_root,
    ann_file='ImageSets/Segmentation/val.txt',
    data_prefix=dict(img_path='JPEGImages', seg_map_path='SegmentationClass'),
)
