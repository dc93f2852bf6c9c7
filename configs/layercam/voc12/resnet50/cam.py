# LayerCAM of the last two stages of the classifier on ResNet-50, PASCAL VOC 2012.
_base_ = '../../../affinitynet/voc12/resnet50/cam.py'
work_dir = 'work_dirs/layercam/voc12/resnet50/cam'
model = dict(type='mmwsss.LayerCAM', layers=('backbone.layer3', 'backbone.layer4'))
