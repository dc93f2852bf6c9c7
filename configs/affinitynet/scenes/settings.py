# Settings of the five steps on the built-in data set (tools/dataset_converters/scenes.py).
data_root = 'data/scenes'
image_labels = f'{data_root}/image_labels.json'
train_list = 'lists/train.txt'
val_list = 'lists/val.txt'
mask_list = train_list
classes = ['background', 'beetle', 'bird', 'fish', 'lizard', 'turtle']
with_background = True
num_classes = len(classes)
num_labels = num_classes - with_background

photos = dict(
    type='ScenesDataset',
    data_root=data_root,
    data_prefix=dict(img_path='images', seg_map_path='masks'),
    metainfo=dict(classes=classes),
)
train_photos = dict(photos, ann_file=train_list)
val_photos = dict(photos, ann_file=val_list)

work_dir = 'work_dirs/scenes'
seed_dir = f'{work_dir}/seeds'
affinity_label_dir = f'{work_dir}/affinity_labels'
pseudo_mask_dir = f'{work_dir}/pseudo_masks'

seed = 0
num_workers = 1
seed_iters = 1000
background_score = 0.2
affinity_iters = 320
beta = 16
alpha = 32
num_steps = 16
segmentor_iters = 700
# No pretrained weights exist for this data set: AffinityNet and the segmentor start from the classifier.
seed_weights = f'{work_dir}/seed_train/iter_{seed_iters}.pth'
