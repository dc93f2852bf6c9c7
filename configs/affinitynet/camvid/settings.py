# Settings of the five steps on CamVid: 11 classes that cover the image, so there is no background.
# Override any of them with `tools/pipeline.py configs/affinitynet/camvid/pipeline.py --cfg-options key=value`.
_base_ = '../_base_/settings.py'
dataset_type = 'CamVidDataset'
data_root = 'data/camvid'
# Read off the masks; or the file of tools/dataset_converters/camvid.py, which is the same.
image_labels = 'masks'
# All photographs of the folder train; their masks measure pseudo labels.
train_list = None
mask_list = None
classes = [
    'sky',
    'building',
    'pole',
    'road',
    'pavement',
    'tree',
    'sign',
    'fence',
    'car',
    'pedestrian',
    'bicyclist',
]
with_background = False
num_classes = len(classes)
num_labels = num_classes - with_background

photos = dict(type=dataset_type, data_root=data_root, metainfo=dict(classes=classes))
train_photos = dict(photos, data_prefix=dict(img_path='train', seg_map_path='trainannot'))
val_photos = dict(photos, data_prefix=dict(img_path='val', seg_map_path='valannot'))
# The segmentor is tested on test, the classifier on val.
test_photos = dict(photos, data_prefix=dict(img_path='test', seg_map_path='testannot'))

work_dir = 'work_dirs/camvid'
seed_dir = f'{work_dir}/seeds'
affinity_label_dir = f'{work_dir}/affinity_labels'
pseudo_mask_dir = f'{work_dir}/pseudo_masks'

# How photographs are fitted and cropped to train the classifier, AffinityNet and the segmentor ...
seed_resize = dict(
    type='RandomChoiceResize',
    scales=[(side, side) for side in range(416, 577, 32)],
    keep_ratio=True,
    resize_type='Resize',
)
seed_crop = (352, 480)
affinity_resize = dict(
    type='RandomChoiceResize',
    scales=[(side, side) for side in range(416, 577, 32)],
    keep_ratio=True,
    resize_type='Resize',
)
affinity_crop = (320, 320)
segmentor_resize = affinity_resize
segmentor_crop = affinity_crop
# ... and for all inference.
test_resize = dict(type='Resize', scale=(480, 480), keep_ratio=True)
tta_resizes = [dict(type='Resize', scale=(side, side), keep_ratio=True) for side in (384, 480, 640)]

seed_iters = 400
seed_weights = f'{work_dir}/seed_train/iter_{seed_iters}.pth'
affinity_iters = 700
segmentor_iters = 1000
# Unused without a background, as is alpha of the walk.
background_score = 0.2
alpha_low = 4
alpha_high = 32
