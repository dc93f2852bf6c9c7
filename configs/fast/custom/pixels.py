# A linear classifier of pixels, trained on the pseudo masks.
_base_ = [
    './data.py',
    '../../_base_/models/linear_efficientnet_lite1.py',
    '../../_base_/datasets/pixels.py',
    '../../_base_/schedules/adamw_pixels.py',
    '../../_base_/default_runtime.py',
]
work_dir = 'work_dirs/fast/custom/pixels'
model = dict(decode_head=dict(num_classes={{_base_.num_classes}}))
# The size of data.py.
train_pipeline = _base_.train_pipeline
train_pipeline[2].update(scale=(round(0.7 * _base_.max_side),) * 2)
train_dataloader = dict(
    dataset=dict(
        dataset={{_base_.train_dataset}},
        pseudo_mask_dir='work_dirs/fast/custom/affinity/pseudo_masks',
        pipeline=train_pipeline,
    )
)
train_cfg = dict(max_iters=100)
