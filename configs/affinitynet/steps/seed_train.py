# Step 1: the classifier. The settings say on which data and with which network.
_base_ = [
    '../networks/seed_{{$MMWSSS_NETWORK:mobilenet_v2}}.py',
    '../../_base_/default_runtime.py',
    '../../_base_/datasets/seed_train.py',
]
model = dict(head=dict(num_labels={{_base_.num_labels}}))
train_pipeline = [
    dict(type='LoadPhoto'),
    {{_base_.seed_resize}},
    dict(type='RandomFlip', prob=0.5),
    {{_base_.color_jitter}},
    dict(type='RandomCropOrPad', crop_size={{_base_.seed_crop}}, pad_val={{_base_.pad_val}}),
    dict(type='PackWeakInputs'),
]
test_pipeline = [dict(type='LoadPhoto'), {{_base_.test_resize}}, dict(type='PackWeakInputs')]
train_dataloader = dict(
    batch_size={{_base_.seed_batch_size}},
    num_workers={{_base_.num_workers}},
    sampler=dict(oversample_thr={{_base_.seed_oversample_thr}}),
    dataset=dict(
        dataset={{_base_.train_photos}},
        image_labels={{_base_.image_labels}},
        with_background={{_base_.with_background}},
        pipeline=train_pipeline,
    ),
)
val_dataloader = dict(
    dataset=dict(
        dataset={{_base_.val_photos}},
        image_labels={{_base_.image_labels}},
        with_background={{_base_.with_background}},
        pipeline=test_pipeline,
    )
)
train_cfg = dict(max_iters={{_base_.seed_iters}})
