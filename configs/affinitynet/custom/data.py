# Images of your own: the one file to edit. tools/dataset_converters/folder.py writes a folder like this one, filled in,
# for a folder of images and their image-level labels. The folder works from wherever it is, once the paths of `_base_`
# in the other files of it are changed to where the bases are, for example to
# mmwsss::_base_/default_runtime.py.
data_root = 'data/custom'
# 'background' first, then what the labels name.
classes = ['background', 'cat', 'dog']
num_classes = len(classes)
# Long side in pixels that images are resized to, in training and inference. The class maps have a cell for every 8
# pixels of it, and a thing much smaller than a cell is hardly found: a leaf spot of 10 pixels in an image of 640 is 5
# pixels at 320. Raise it for small things; time and memory grow with its square.
max_side = 320
num_labels = num_classes - 1
image_labels = f'{data_root}/image_labels.json'
train_dataset = dict(
    type='mmwsss.FolderDataset',
    data_root=data_root,
    ann_file='train.txt',
    data_prefix=dict(img_path='images', seg_map_path='masks'),
    metainfo=dict(classes=classes),
)
val_dataset = dict(
    type='mmwsss.FolderDataset',
    data_root=data_root,
    ann_file='val.txt',
    data_prefix=dict(img_path='images', seg_map_path='masks'),
    metainfo=dict(classes=classes),
)
