# Settings of AffinityNet's published recipe on PASCAL VOC 2012 with VGG-16. Override any of them with
# `tools/pipeline.py configs/affinitynet/voc12_vgg16/pipeline.py --cfg-options key=value`.
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
# ImageNet weights, made by tools/model_converters/psa.py.
weights = 'data/weights/vgg16_20M.pth'
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

work_dir = 'work_dirs/voc12_vgg16'
seed_dir = f'{work_dir}/seeds'
affinity_label_dir = f'{work_dir}/affinity_labels'
pseudo_mask_dir = f'{work_dir}/pseudo_masks'
submission_dir = f'{work_dir}/submission'

num_workers = 4
# 15 epochs of 10,582 photographs in batches of 16.
seed_iters = 9915
# Background of the CAMs, and of the affinity labels: exponents of a strong and a weak background.
background_score = 0.2
alpha_low = 4
alpha_high = 32
# 8 epochs in batches of 8. Pairs of cells: 'full', or the released code's 'reference'.
affinity_iters = 10576
border = 'full'
# Random walk: exponents of the affinities and of the background, steps.
beta = 8
alpha = 16
num_steps = 256
# Final dense CRF, which the paper has and the released code has not.
crf_num_iters = 10
crf_bilateral = (80, 13, 10)
segmentor_iters = 20000
