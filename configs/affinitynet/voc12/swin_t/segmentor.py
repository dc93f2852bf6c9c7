# DeepLabV3+ on ResNet-50, PASCAL VOC 2012, the published recipe, on the pseudo masks of Swin-T.
_base_ = [
    '../../../_base_/models/deeplabv3plus_resnet50.py',
    '../../../_base_/datasets/voc12_segmentor_published.py',
    '../../../_base_/schedules/psa_auxiliary.py',
    '../../../_base_/default_runtime.py',
]
work_dir = 'work_dirs/affinitynet/voc12/swin_t/segmentor'
model = dict(
    backbone=dict(
        init_cfg=dict(type='Pretrained', checkpoint='https://download.pytorch.org/models/resnet50-0676ba61.pth'),
    ),
    decode_head=dict(num_classes=21),
    auxiliary_head=dict(num_classes=21),
)
train_dataloader = dict(dataset=dict(pseudo_mask_dir='work_dirs/affinitynet/voc12/swin_t/affinity/pseudo_masks'))
train_cfg = dict(max_iters=20000)  # usual for a segmentor on VOC
