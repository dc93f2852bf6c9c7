# CamVid with ResNet-38 and the published recipe, at the sizes and numbers of iterations of settings.py.
_base_ = ['./pipeline.py', '../_base_/published.py']
work_dir = 'work_dirs/camvid_resnet38d'
overrides = dict(
    network='resnet38d',
    segmentor='deeplabv1_resnet38d',
)
