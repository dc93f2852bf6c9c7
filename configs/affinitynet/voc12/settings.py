# Settings of the five steps: where the data are and how long to train. Override any of them with
# `tools/pipeline.py configs/affinitynet/voc12/pipeline.py --cfg-options key=value`.
_base_ = '../_base_/photographs.py'
# Any BaseSegDataset with lists; 'BaseSegDataset' itself for photographs of your own.
dataset_type = 'PascalVOCDataset'
data_root = 'data/VOCdevkit/VOC2012'
image_dir = 'JPEGImages'
mask_dir = 'SegmentationClass'
image_labels = f'{data_root}/image_labels.json'
train_list = 'ImageSets/Segmentation/train_aug.txt'
val_list = 'ImageSets/Segmentation/val.txt'
test_list = 'ImageSets/Segmentation/test.txt'
# False where the photographs of val_list have labels, but no masks.
test_segmentor = True
# Photographs of train_list whose pseudo labels are compared with true masks; nothing trains on these masks.
mask_list = 'ImageSets/Segmentation/train.txt'
classes = [
    'background',
    'aeroplane',
    'bicycle',
    'bird',
    'boat',
    'bottle',
    'bus',
    'car',
    'cat',
    'chair',
    'cow',
    'diningtable',
    'dog',
    'horse',
    'motorbike',
    'person',
    'pottedplant',
    'sheep',
    'sofa',
    'train',
    'tvmonitor',
]
with_background = True
num_classes = len(classes)
num_labels = num_classes - with_background

photos = dict(
    type=dataset_type,
    data_root=data_root,
    data_prefix=dict(img_path=image_dir, seg_map_path=mask_dir),
    metainfo=dict(classes=classes),
)
train_photos = dict(photos, ann_file=train_list)
val_photos = dict(photos, ann_file=val_list)
# The segmentor is tested on val; voc12/segmentor_test.py predicts test_list.
test_photos = val_photos

work_dir = 'work_dirs/voc12'
seed_dir = f'{work_dir}/seeds'
affinity_label_dir = f'{work_dir}/affinity_labels'
pseudo_mask_dir = f'{work_dir}/pseudo_masks'
submission_dir = f'{work_dir}/submission'

seed_iters = 3300
seed_weights = f'{work_dir}/seed_train/iter_{seed_iters}.pth'
affinity_iters = 5300
segmentor_iters = 8000
segmentor_lr = 0.003
segmentor_frozen_stages = 3
cam_scale_weights = (1, 1, 3)
peak_quantile = 0.95
# Background of the CAMs, and of the affinity labels: exponents of a strong and a weak background.
background_score = 0.32
alpha_low = 1
alpha_high = 6
