# CamVid with labels of tiles: tools/dataset_converters/camvid.py --tiles 3 4 cuts each training image into twelve tiles
# and reads the classes of each tile off its mask. That is stronger supervision than labels of images: it tells where in
# an image a class is. The segmentor is tested on whole images.
data_root = 'data/camvid'
image_labels = 'masks'
train_dataset = dict(
    type='mmwsss.CamVidDataset',
    data_root=data_root,
    data_prefix=dict(img_path='tiles_3x4/train', seg_map_path='tiles_3x4/trainannot'),
)
# The classifier is validated on tiles of val, the segmentor on the images of val, and it is tested on those of test.
val_dataset = dict(
    type='mmwsss.CamVidDataset',
    data_root=data_root,
    data_prefix=dict(img_path='tiles_3x4/val', seg_map_path='tiles_3x4/valannot'),
)
test_dataset = dict(
    type='mmwsss.CamVidDataset',
    data_root=data_root,
    data_prefix=dict(img_path='test', seg_map_path='testannot'),
)
