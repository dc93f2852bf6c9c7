# A linear classifier of pixels, trained on the pseudo masks, CamVid with labels of tiles.
_base_ = [
    '../../../_base_/models/linear_efficientnet_lite1.py',
    '../../../_base_/datasets/camvid_tiles_pixels.py',
    '../../../_base_/schedules/adamw_pixels.py',
    '../../../_base_/default_runtime.py',
]
work_dir = 'work_dirs/fast/camvid/efficientnet_lite1_tiles/pixels'
model = dict(decode_head=dict(num_classes=11))
train_dataloader = dict(
    dataset=dict(pseudo_mask_dir='work_dirs/fast/camvid/efficientnet_lite1_tiles/affinity/pseudo_masks')
)
