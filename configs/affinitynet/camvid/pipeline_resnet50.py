# As pipeline_resnet38d.py, with ResNet-50 and DeepLabV3+ on it.
_base_ = './pipeline_resnet38d.py'
work_dir = 'work_dirs/camvid_resnet50'
overrides = dict(network='resnet50', segmentor='deeplabv3plus_resnet50')
