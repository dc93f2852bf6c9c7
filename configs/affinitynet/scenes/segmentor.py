_base_ = [
    '{{$MMWSSS_SETTINGS:./settings.py}}',
    '../../_base_/default_runtime.py',
    '../../_base_/datasets/scenes_train.py',
    '../../_base_/datasets/scenes_test.py',
    '../../_base_/models/fcn_r18.py',
    '../../_base_/schedules/sgd_poly.py',
]
randomness = dict(seed={{_base_.seed}})
model = dict(
    backbone=dict(init_cfg=dict(type='Pretrained', checkpoint={{_base_.seed_weights}}, prefix='backbone.')),
    decode_head=dict(num_classes={{_base_.num_classes}}),
)
train_pipeline = [
    dict(type='LoadPhoto'),
    dict(type='LoadLabelMap', source='pseudo_mask'),
    dict(type='RandomFlip', prob=[0.3, 0.3], direction=['horizontal', 'vertical']),
    dict(type='PackSegInputs'),
]
train_dataloader = dict(
    dataset=dict(dataset={{_base_.train_photos}}, pseudo_mask_dir={{_base_.pseudo_mask_dir}}, pipeline=train_pipeline)
)
test_dataloader = dict(
    dataset=dict(
        dataset={{_base_.val_photos}},
        pipeline=[dict(type='LoadPhoto'), dict(type='LoadAnnotations'), dict(type='PackWeakInputs')],
    )
)
test_evaluator = dict(type='SegmentorMetric', iou_metrics=['mIoU'])
optim_wrapper = dict(optimizer=dict(lr=0.05))
train_cfg = dict(max_iters={{_base_.segmentor_iters}})
