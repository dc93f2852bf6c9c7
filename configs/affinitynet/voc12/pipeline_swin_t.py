# As pipeline_resnet38d.py, with Swin-T and mmseg's ImageNet weights of it, which are downloaded;
# DeepLabV3+ on ResNet-50 learns from its masks.
_base_ = './pipeline_resnet38d.py'
work_dir = 'work_dirs/voc12_swin_t'
overrides = dict(
    network='swin_t',
    segmentor='deeplabv3plus_resnet50',
    weights='https://download.openmmlab.com/mmsegmentation/v0.5/pretrain/swin/swin_tiny_patch4_window7_224_20220317-1cdeb081.pth',
)
