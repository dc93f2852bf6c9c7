# A linear classifier of pixels, trained on the pseudo masks, six classes of PASCAL VOC 2012.
_base_ = [
    '../../../_base_/models/linear_efficientnet_lite1.py',
    '../../../_base_/datasets/voc12_six_classes_pixels.py',
    '../../../_base_/schedules/adamw_pixels.py',
    '../../../_base_/default_runtime.py',
]
work_dir = 'work_dirs/fast/voc12/efficientnet_lite1_six_classes/pixels'
model = dict(decode_head=dict(num_classes=7))
train_dataloader = dict(
    dataset=dict(pseudo_mask_dir='work_dirs/fast/voc12/efficientnet_lite1_six_classes/affinity/pseudo_masks')
)
