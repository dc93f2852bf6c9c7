# DeepLabV1 on ResNet-38, CamVid, the published recipe.
_base_ = [
    '../../../_base_/models/deeplabv1_resnet38d.py',
    '../../../_base_/datasets/camvid_segmentor_published.py',
    '../../../_base_/schedules/psa_deeplabv1.py',
    '../../../_base_/default_runtime.py',
]
work_dir = 'work_dirs/affinitynet/camvid/resnet38d/segmentor'
model = dict(
    backbone=dict(
        init_cfg=dict(type='Pretrained', checkpoint='data/weights/resnet38d_imagenet.pth', prefix='backbone.'),
    ),
    decode_head=dict(num_classes=11),
)
train_dataloader = dict(dataset=dict(pseudo_mask_dir='work_dirs/affinitynet/camvid/resnet38d/affinity/pseudo_masks'))
train_cfg = dict(max_iters=1000)
