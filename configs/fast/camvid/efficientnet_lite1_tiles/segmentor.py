# DeepLabV3+ on EfficientNet-Lite1, CamVid with labels of tiles.
_base_ = [
    '../../../_base_/models/deeplabv3plus_efficientnet_lite1.py',
    '../../../_base_/datasets/camvid_tiles_segmentor.py',
    '../../../_base_/schedules/sgd_poly.py',
    '../../../_base_/default_runtime.py',
]
work_dir = 'work_dirs/fast/camvid/efficientnet_lite1_tiles/segmentor'
# It has seen nothing larger than a tile: whole images are tested in windows of that size, a third of which overlaps.
model = dict(
    backbone=dict(frozen_stages=5),
    decode_head=dict(num_classes=11),
    test_cfg=dict(mode='slide', crop_size=(192, 192), stride=(128, 128)),
)
optim_wrapper = dict(
    optimizer=dict(lr=0.003),
    paramwise_cfg=dict(custom_keys={'decode_head': dict(lr_mult=10)}),
)
train_dataloader = dict(
    dataset=dict(pseudo_mask_dir='work_dirs/fast/camvid/efficientnet_lite1_tiles/relabel/pseudo_masks')
)
train_cfg = dict(max_iters=400)
