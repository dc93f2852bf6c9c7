# LayerCAM of the last two stages of the classifier on ResNet-50, CamVid.
_base_ = '../../../affinitynet/camvid/resnet50/cam.py'
work_dir = 'work_dirs/layercam/camvid/resnet50/cam'
model = dict(type='mmwsss.LayerCAM', layers=('backbone.layer3', 'backbone.layer4'))
