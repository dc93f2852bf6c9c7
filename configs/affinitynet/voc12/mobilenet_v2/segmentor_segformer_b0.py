# SegFormer-B0 on the pseudo masks of MobileNetV2, PASCAL VOC 2012, the small recipe.
_base_ = [
    '../../../_base_/models/segformer_mit_b0.py',
    '../../../_base_/datasets/voc12_segmentor.py',
    '../../../_base_/schedules/adamw_poly.py',
    '../../../_base_/default_runtime.py',
]
work_dir = 'work_dirs/affinitynet/voc12/mobilenet_v2/segmentor_segformer_b0'
model = dict(
    backbone=dict(
        init_cfg=dict(
            type='Pretrained',
            checkpoint='https://download.openmmlab.com/mmsegmentation/v0.5/pretrain/segformer/mit_b0_20220624-7e0fe6dd.pth',
        ),
    ),
    decode_head=dict(num_classes=21),
)
train_pipeline = _base_.train_pipeline
train_pipeline[-2].update(pad_val=(103.53, 116.28, 123.675))
train_dataloader = dict(
    dataset=dict(
        pseudo_mask_dir='work_dirs/affinitynet/voc12/mobilenet_v2/affinity/pseudo_masks', pipeline=train_pipeline
    )
)
train_cfg = dict(max_iters=8000)
