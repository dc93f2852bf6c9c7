# FCN on ResNet-50 on the pseudo masks of MobileNetV2, PASCAL VOC 2012, the small recipe.
_base_ = [
    '../../../_base_/models/fcn_resnet50.py',
    '../../../_base_/datasets/voc12_segmentor.py',
    '../../../_base_/schedules/psa_auxiliary.py',
    '../../../_base_/default_runtime.py',
]
work_dir = 'work_dirs/affinitynet/voc12/mobilenet_v2/segmentor_fcn_r50'
model = dict(
    backbone=dict(
        init_cfg=dict(type='Pretrained', checkpoint='https://download.pytorch.org/models/resnet50-0676ba61.pth'),
    ),
    decode_head=dict(num_classes=21),
    auxiliary_head=dict(num_classes=21),
)
train_pipeline = _base_.train_pipeline
train_pipeline[-2].update(pad_val=(103.53, 116.28, 123.675))
train_dataloader = dict(
    dataset=dict(
        pseudo_mask_dir='work_dirs/affinitynet/voc12/mobilenet_v2/affinity/pseudo_masks', pipeline=train_pipeline
    )
)
train_cfg = dict(max_iters=8000)
