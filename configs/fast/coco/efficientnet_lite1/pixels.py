# A linear classifier of pixels, trained on the pseudo masks, COCO.
_base_ = [
    '../../../_base_/models/linear_efficientnet_lite1.py',
    '../../../_base_/datasets/coco_pixels.py',
    '../../../_base_/schedules/adamw_pixels.py',
    '../../../_base_/default_runtime.py',
]
work_dir = 'work_dirs/fast/coco/efficientnet_lite1/pixels'
model = dict(decode_head=dict(num_classes=81))
train_dataloader = dict(dataset=dict(pseudo_mask_dir='work_dirs/fast/coco/efficientnet_lite1/affinity/pseudo_masks'))
