# Step 3: AffinityNet on the affinity labels of step 2.
_base_ = [
    '../networks/affinity_{{$MMWSSS_NETWORK:mobilenet_v2}}.py',
    '../../_base_/default_runtime.py',
    '../../_base_/datasets/affinity_train.py',
]
model = dict(head=dict(border={{_base_.border}}, with_background={{_base_.with_background}}))
train_pipeline = [
    dict(type='LoadPhoto'),
    dict(type='LoadLabelMap', source='affinity_label'),
    {{_base_.affinity_resize}},
    dict(type='RandomFlip', prob=0.5),
    {{_base_.color_jitter}},
    dict(
        type='RandomCropOrPad',
        crop_size={{_base_.affinity_crop}},
        pad_val={{_base_.pad_val}},
        seg_pad_val={{_base_.affinity_pad_label}},
    ),
    dict(type='PackWeakInputs'),
]
train_dataloader = dict(
    batch_size={{_base_.affinity_batch_size}},
    num_workers={{_base_.num_workers}},
    dataset=dict(
        dataset={{_base_.train_photos}},
        with_background={{_base_.with_background}},
        affinity_label_dir={{_base_.affinity_label_dir}},
        pipeline=train_pipeline,
    ),
)
train_cfg = dict(max_iters={{_base_.affinity_iters}})
