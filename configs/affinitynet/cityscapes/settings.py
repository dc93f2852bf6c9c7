# Settings of the five steps on Cityscapes, completed by tools/dataset_converters/cityscapes.py. There is no
# background: the 19 evaluated classes cover the image, what is none of them is ignored, and image-level labels are
# multi-hot over all 19.
dataset_type = 'CityscapesDataset'
data_root = 'data/cityscapes'
image_labels = f'{data_root}/image_labels.json'
train_list = 'lists/train.txt'
val_list = 'lists/val.txt'
# All masks of train measure pseudo labels.
mask_list = None
weights = 'data/weights/mobilenet_v2_imagenet.pth'
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

# Sides in pixels that photographs are fitted into, and crops, of the classifier's training ...
seed_scales = [(side, side) for side in range(768, 1281, 64)]
seed_crop = (512, 768)
# ... of AffinityNet's and the segmentor's, and of all inference.
label_scales = [(side, side) for side in range(768, 1281, 64)]
label_crop = (448, 448)
test_scale = (1024, 1024)
tta_resizes = [dict(type='Resize', scale=(side, side), keep_ratio=True) for side in (768, 1024, 1280)]

num_workers = 2
seed_iters = 2800
seed_weights = f'{work_dir}/seed_train/iter_{seed_iters}.pth'
affinity_iters = 2800
segmentor_iters = 8000
# Unused without a background, as is alpha below.
background_score = 0.2
alpha_low = 4
alpha_high = 32
# Random walk: exponents of the affinities and of the background, steps.
beta = 12
alpha = 3
num_steps = 256
# Final dense CRF.
crf_num_iters = 5
crf_bilateral = (50, 5, 5)
