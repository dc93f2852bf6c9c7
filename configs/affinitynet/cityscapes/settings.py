# Settings of the five steps on Cityscapes, completed by tools/dataset_converters/cityscapes.py. There is no
# background: the 19 evaluated classes cover the image, what is none of them is ignored, and image-level labels are
# multi-hot over all 19.
_base_ = '../_base_/settings.py'
dataset_type = 'CityscapesDataset'
data_root = 'data/cityscapes'
image_labels = f'{data_root}/image_labels.json'
train_list = 'lists/train.txt'
val_list = 'lists/val.txt'
# All masks of train measure pseudo labels.
mask_list = None
classes = [
    'road',
    'sidewalk',
    'building',
    'wall',
    'fence',
    'pole',
    'traffic light',
    'traffic sign',
    'vegetation',
    'terrain',
    'sky',
    'person',
    'rider',
    'car',
    'truck',
    'bus',
    'train',
    'motorcycle',
    'bicycle',
]
with_background = False
num_classes = len(classes)
num_labels = num_classes - with_background

photos = dict(type=dataset_type, data_root=data_root, metainfo=dict(classes=classes))
train_photos = dict(
    photos, ann_file=train_list, data_prefix=dict(img_path='leftImg8bit/train', seg_map_path='gtFine/train')
)
val_photos = dict(photos, ann_file=val_list, data_prefix=dict(img_path='leftImg8bit/val', seg_map_path='gtFine/val'))
test_photos = val_photos

work_dir = 'work_dirs/cityscapes'
seed_dir = f'{work_dir}/seeds'
affinity_label_dir = f'{work_dir}/affinity_labels'
pseudo_mask_dir = f'{work_dir}/pseudo_masks'

# How photographs are fitted and cropped to train the classifier, AffinityNet and the segmentor ...
seed_resize = dict(
    type='RandomChoiceResize',
    scales=[(side, side) for side in range(768, 1281, 64)],
    keep_ratio=True,
    resize_type='Resize',
)
seed_crop = (512, 768)
affinity_resize = dict(
    type='RandomChoiceResize',
    scales=[(side, side) for side in range(768, 1281, 64)],
    keep_ratio=True,
    resize_type='Resize',
)
affinity_crop = (448, 448)
segmentor_resize = affinity_resize
segmentor_crop = affinity_crop
# ... and for all inference.
test_resize = dict(type='Resize', scale=(1024, 1024), keep_ratio=True)
tta_resizes = [dict(type='Resize', scale=(side, side), keep_ratio=True) for side in (768, 1024, 1280)]

seed_iters = 2800
seed_weights = f'{work_dir}/seed_train/iter_{seed_iters}.pth'
affinity_iters = 2800
segmentor_iters = 8000
# Unused without a background, as is alpha of the walk.
background_score = 0.2
alpha_low = 4
alpha_high = 32
