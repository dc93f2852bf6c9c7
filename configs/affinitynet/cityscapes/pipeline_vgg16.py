# As pipeline_resnet38d.py, with VGG-16.
_base_ = './pipeline_resnet38d.py'
work_dir = 'work_dirs/cityscapes_vgg16'
overrides = dict(network='vgg16', segmentor='deeplabv1_vgg16')
