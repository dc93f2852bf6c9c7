# Settings of the five steps on COCO, completed by tools/dataset_converters/coco.py: 80 classes and a background.
# Override any of them with `tools/pipeline.py configs/affinitynet/coco/pipeline.py --cfg-options key=value`.
_base_ = '../_base_/photographs.py'
# '2014' or '2017'.
year = '2014'
dataset_type = 'COCOObjectDataset'
data_root = 'data/coco'
image_labels = f'{data_root}/image_labels{year}.json'
train_list = f'lists/train{year}.txt'
val_list = f'lists/val{year}.txt'
# All masks of train measure pseudo labels.
mask_list = None
classes = [
    'background',
    'person',
    'bicycle',
    'car',
    'motorcycle',
    'airplane',
    'bus',
    'train',
    'truck',
    'boat',
    'traffic light',
    'fire hydrant',
    'stop sign',
    'parking meter',
    'bench',
    'bird',
    'cat',
    'dog',
    'horse',
    'sheep',
    'cow',
    'elephant',
    'bear',
    'zebra',
    'giraffe',
    'backpack',
    'umbrella',
    'handbag',
    'tie',
    'suitcase',
    'frisbee',
    'skis',
    'snowboard',
    'sports ball',
    'kite',
    'baseball bat',
    'baseball glove',
    'skateboard',
    'surfboard',
    'tennis racket',
    'bottle',
    'wine glass',
    'cup',
    'fork',
    'knife',
    'spoon',
    'bowl',
    'banana',
    'apple',
    'sandwich',
    'orange',
    'broccoli',
    'carrot',
    'hot dog',
    'pizza',
    'donut',
    'cake',
    'chair',
    'couch',
    'potted plant',
    'bed',
    'dining table',
    'toilet',
    'tv',
    'laptop',
    'mouse',
    'remote',
    'keyboard',
    'cell phone',
    'microwave',
    'oven',
    'toaster',
    'sink',
    'refrigerator',
    'book',
    'clock',
    'vase',
    'scissors',
    'teddy bear',
    'hair drier',
    'toothbrush',
]
with_background = True
num_classes = len(classes)
num_labels = num_classes - with_background

photos = dict(type=dataset_type, data_root=data_root, metainfo=dict(classes=classes))
train_photos = dict(
    photos, ann_file=train_list, data_prefix=dict(img_path=f'train{year}', seg_map_path=f'masks/train{year}')
)
val_photos = dict(photos, ann_file=val_list, data_prefix=dict(img_path=f'val{year}', seg_map_path=f'masks/val{year}'))
test_photos = val_photos

work_dir = 'work_dirs/coco'
seed_dir = f'{work_dir}/seeds'
affinity_label_dir = f'{work_dir}/affinity_labels'
pseudo_mask_dir = f'{work_dir}/pseudo_masks'

seed_iters = 26000
seed_weights = f'{work_dir}/seed_train/iter_{seed_iters}.pth'
affinity_iters = 26000
segmentor_iters = 52000
# Background of the CAMs, and of the affinity labels: exponents of a strong and a weak background. Chosen on VOC.
background_score = 0.34
alpha_low = 1.2
alpha_high = 7
