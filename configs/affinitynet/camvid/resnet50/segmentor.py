# DeepLabV3+ on ResNet-50, CamVid, the published recipe.
_base_ = [
    '../../../_base_/models/deeplabv3plus_resnet50.py',
    '../../../_base_/datasets/camvid_segmentor_published.py',
    '../../../_base_/schedules/psa_auxiliary.py',
    '../../../_base_/default_runtime.py',
]
work_dir = 'work_dirs/affinitynet/camvid/resnet50/segmentor'
model = dict(
    backbone=dict(
        init_cfg=dict(type='Pretrained', checkpoint='https://download.pytorch.org/models/resnet50-0676ba61.pth'),
    ),
    decode_head=dict(num_classes=11),
    auxiliary_head=dict(num_classes=11),
)
train_dataloader = dict(dataset=dict(pseudo_mask_dir='work_dirs/affinitynet/camvid/resnet50/affinity/pseudo_masks'))
train_cfg = dict(max_iters=1000)
