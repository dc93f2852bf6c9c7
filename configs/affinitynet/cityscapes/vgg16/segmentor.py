# DeepLabV1 on VGG-16, Cityscapes, the published recipe.
_base_ = [
    '../../../_base_/models/deeplabv1_vgg16.py',
    '../../../_base_/datasets/cityscapes_segmentor_published.py',
    '../../../_base_/schedules/psa_deeplabv1.py',
    '../../../_base_/default_runtime.py',
]
work_dir = 'work_dirs/affinitynet/cityscapes/vgg16/segmentor'
model = dict(
    backbone=dict(
        init_cfg=dict(type='Pretrained', checkpoint='data/weights/vgg16_imagenet.pth', prefix='backbone.'),
    ),
    decode_head=dict(num_classes=19),
)
train_pipeline = _base_.train_pipeline
train_pipeline[-2].update(pad_val=(104.008, 116.669, 122.675))
train_dataloader = dict(
    dataset=dict(
        pseudo_mask_dir='work_dirs/affinitynet/cityscapes/vgg16/affinity/pseudo_masks', pipeline=train_pipeline
    )
)
train_cfg = dict(max_iters=8000)
