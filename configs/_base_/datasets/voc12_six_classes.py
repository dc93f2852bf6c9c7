# The images of PASCAL VOC 2012 that hold nothing but these six classes, listed in ImageSets/Segmentation/six_*.txt.
data_root = 'data/VOCdevkit/VOC2012'
image_labels = f'{data_root}/image_labels.json'
# Images of the training list whose labels are compared with masks; nothing trains on these masks.
mask_list = 'ImageSets/Segmentation/six_train.txt'
train_dataset = dict(
    type='PascalVOCDataset',
    data_root=data_root,
    ann_file='ImageSets/Segmentation/six_trainaug.txt',
    data_prefix=dict(img_path='JPEGImages', seg_map_path='SegmentationClass'),
    metainfo=dict(classes=['background', 'cat', 'cow', 'dog', 'horse', 'person', 'sheep']),
)
val_dataset = dict(
    type='PascalVOCDataset',
    data_root=data_root,
    ann_file='ImageSets/Segmentation/six_val2007.txt',
    data_prefix=dict(img_path='JPEGImages', seg_map_path='SegmentationClass'),
    metainfo=dict(classes=['background', 'cat', 'cow', 'dog', 'horse', 'person', 'sheep']),
)
