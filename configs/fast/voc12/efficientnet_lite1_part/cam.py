# A part of PASCAL VOC 2012, the images listed in trainaug.txt and val2007.txt, with all 20 classes.
_base_ = '../efficientnet_lite1/cam.py'
work_dir = 'work_dirs/fast/voc12/efficientnet_lite1_part/cam'
train_dataloader = dict(dataset=dict(dataset=dict(ann_file='ImageSets/Segmentation/trainaug.txt')))
val_dataloader = dict(dataset=dict(dataset=dict(ann_file='ImageSets/Segmentation/val2007.txt')))
test_dataloader = dict(dataset=dict(dataset=dict(ann_file='ImageSets/Segmentation/trainaug.txt')))
