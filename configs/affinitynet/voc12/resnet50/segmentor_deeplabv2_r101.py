# DeepLabV2 on ResNet-101, as the successors of AffinityNet train it on their pseudo masks.
_base_ = [
    '../../../_base_/models/deeplabv2_resnet101.py',
    '../../../_base_/datasets/voc12_segmentor_published.py',
    '../../../_base_/schedules/psa_deeplabv2.py',
    '../../../_base_/default_runtime.py',
]
work_dir = 'work_dirs/affinitynet/voc12/resnet50/segmentor_deeplabv2_r101'
model = dict(
    backbone=dict(
        init_cfg=dict(type='Pretrained', checkpoint='https://download.pytorch.org/models/resnet101-63fe2227.pth')
    ),
    decode_head=dict(num_classes=21),
)
train_dataloader = dict(dataset=dict(pseudo_mask_dir='work_dirs/affinitynet/voc12/resnet50/affinity/pseudo_masks'))
train_cfg = dict(max_iters=30000)
