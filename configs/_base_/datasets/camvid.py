# CamVid: 11 classes that cover the image, so there is no background. All images of the folder are for training; their
# masks measure labels and give the image-level labels, as tools/dataset_converters/camvid.py does.
data_root = 'data/camvid'
image_labels = 'masks'
train_dataset = dict(
    type='mmwsss.CamVidDataset',
    data_root=data_root,
    data_prefix=dict(img_path='train', seg_map_path='trainannot'),
)
# The classifier is validated on val, the segmentor is validated on val and tested on test.
val_dataset = dict(
    type='mmwsss.CamVidDataset',
    data_root=data_root,
    data_prefix=dict(img_path='val', seg_map_path='valannot'),
)
test_dataset = dict(
    type='mmwsss.CamVidDataset',
    data_root=data_root,
    data_prefix=dict(img_path='test', seg_map_path='testannot'),
)
