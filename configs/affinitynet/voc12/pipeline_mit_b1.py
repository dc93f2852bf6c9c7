# As pipeline_resnet38d.py, with MiT-B1, the backbone of SegFormer, and mmseg's ImageNet weights of it, which are
# downloaded; DeepLabV3+ on ResNet-50 learns from its masks.
_base_ = './pipeline_resnet38d.py'
work_dir = 'work_dirs/voc12_mit_b1'
overrides = dict(
    network='mit_b1',
    segmentor='deeplabv3plus_resnet50',
    weights='https://download.openmmlab.com/mmsegmentation/v0.5/pretrain/segformer/mit_b1_20220624-02e5a6a1.pth',
)
