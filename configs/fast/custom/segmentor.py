# DeepLabV3+ on EfficientNet-Lite1.
_base_ = [
    './data.py',
    '../../_base_/models/deeplabv3plus_efficientnet_lite1.py',
    '../../_base_/datasets/segmentor.py',
    '../../_base_/schedules/sgd_poly.py',
    '../../_base_/default_runtime.py',
]
work_dir = 'work_dirs/fast/custom/segmentor'
model = dict(
    backbone=dict(frozen_stages=5),
    decode_head=dict(num_classes={{_base_.num_classes}}),
)
optim_wrapper = dict(
    optimizer=dict(lr=0.003),
    paramwise_cfg=dict(custom_keys={'decode_head': dict(lr_mult=10)}),
)
# The sizes of data.py.
train_pipeline, test_pipeline = _base_.train_pipeline, _base_.test_pipeline
tta_pipeline = _base_.tta_pipeline
train_pipeline[2].update(scale=(round(0.8 * _base_.max_side),) * 2)
test_pipeline[1].update(scale=(_base_.max_side // 2,) * 2)
tta_pipeline[1].transforms[0] = [
    dict(type='Resize', scale=(round(factor * _base_.max_side),) * 2, keep_ratio=True) for factor in (0.4, 0.5, 0.7)
]
train_dataloader = dict(
    dataset=dict(
        dataset={{_base_.train_dataset}},
        pseudo_mask_dir='work_dirs/fast/custom/relabel/pseudo_masks',
        pipeline=train_pipeline,
    )
)
train_cfg = dict(max_iters=500)
val_dataloader = dict(dataset=dict(dataset={{_base_.val_dataset}}, pipeline=test_pipeline))
# The labels of the held-out images only measure: does a mask hold the classes of its image?
test_dataloader = dict(
    dataset=dict(dataset={{_base_.val_dataset}}, image_labels={{_base_.image_labels}}, pipeline=test_pipeline)
)
test_evaluator = [dict(type='mmwsss.SegmentorMetric', iou_metrics=['mIoU']), dict(type='mmwsss.TagMetric')]
# The held-out images have no masks: nothing validates, and the test predicts them and measures their labels. Where
# there are masks of val.txt, delete the rest of this file.
test_pipeline = [
    dict(type='LoadImageFromFile', _scope_='mmwsss'),
    dict(type='Resize', scale=(_base_.max_side // 2,) * 2, keep_ratio=True),
    dict(type='mmwsss.PackWeakInputs'),
]
test_dataloader['dataset'].update(pipeline=test_pipeline)
test_evaluator[0].update(format_only=True, output_dir='work_dirs/fast/custom/segmentor/predictions')
tta_pipeline = [
    dict(type='LoadImageFromFile', _scope_='mmwsss'),
    dict(type='TestTimeAug', transforms=tta_pipeline[1].transforms[:2] + [[dict(type='mmwsss.PackWeakInputs')]]),
]
val_dataloader = val_evaluator = val_cfg = None
