# As pipeline_resnet38d.py, with ResNet-50 and DeepLabV3+ on it; the classifier as IRN trains it: 5 epochs.
_base_ = './pipeline_resnet38d.py'
work_dir = 'work_dirs/voc12_resnet50'
overrides = dict(network='resnet50', segmentor='deeplabv3plus_resnet50', seed_iters=3305)
