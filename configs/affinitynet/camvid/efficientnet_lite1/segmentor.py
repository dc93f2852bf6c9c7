# DeepLabV3+ on EfficientNet-Lite1, CamVid, the small recipe.
_base_ = [
    '../../../_base_/models/deeplabv3plus_efficientnet_lite1.py',
    '../../../_base_/datasets/camvid_segmentor.py',
    '../../../_base_/schedules/sgd_poly.py',
    '../../../_base_/default_runtime.py',
]
work_dir = 'work_dirs/affinitynet/camvid/efficientnet_lite1/segmentor'
# It starts from the classifier.
model = dict(
    backbone=dict(
        init_cfg=dict(
            type='Pretrained',
            checkpoint='work_dirs/affinitynet/camvid/efficientnet_lite1/cam/final.pth',
            prefix='backbone.',
        ),
    ),
    decode_head=dict(num_classes=11),
)
optim_wrapper = dict(
    optimizer=dict(lr=0.002),
    paramwise_cfg=dict(custom_keys={'decode_head': dict(lr_mult=10)}),
)
train_dataloader = dict(
    dataset=dict(pseudo_mask_dir='work_dirs/affinitynet/camvid/efficientnet_lite1/affinity/pseudo_masks')
)
train_cfg = dict(max_iters=1000)
