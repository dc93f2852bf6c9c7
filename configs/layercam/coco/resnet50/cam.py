# LayerCAM of the last two stages of the classifier on ResNet-50, COCO.
_base_ = '../../../affinitynet/coco/resnet50/cam.py'
work_dir = 'work_dirs/layercam/coco/resnet50/cam'
model = dict(type='mmwsss.LayerCAM', layers=('backbone.layer3', 'backbone.layer4'))
