_base_ = [
    '{{$MMWSSS_SETTINGS:./settings.py}}',
    '../../_base_/default_runtime.py',
    '../../_base_/datasets/scenes_train.py',
    '../../_base_/models/cam_r18.py',
    '../../_base_/schedules/sgd_poly.py',
]
randomness = dict(seed={{_base_.seed}})
model = dict(head=dict(num_labels={{_base_.num_labels}}))
train_dataloader = dict(dataset=dict(dataset={{_base_.train_photos}}, image_labels={{_base_.image_labels}}))
val_dataloader = dict(
    batch_size=16,
    num_workers=0,
    sampler=dict(type='DefaultSampler', shuffle=False, round_up=False),
    dataset=dict(
        type='ImageLabelDataset',
        dataset={{_base_.val_photos}},
        image_labels={{_base_.image_labels}},
        pipeline=[dict(type='LoadPhoto'), dict(type='PackWeakInputs')],
        test_mode=True,
    ),
)
val_evaluator = dict(type='MultiLabelMetric')
val_cfg = dict(type='ValLoop', fp16=True)
optim_wrapper = dict(optimizer=dict(lr=0.05))
train_cfg = dict(max_iters={{_base_.seed_iters}})
