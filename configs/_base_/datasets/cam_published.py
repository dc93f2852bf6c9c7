# The published recipe of the classifier, at the images' own size, and what is made with it: seeds and affinity
# labels.
train_pipeline = [
    dict(type='mmwsss.LoadImageFromFile'),
    dict(type='RandomResize', scale=(512, 512), ratio_range=(0.5, 1.0), keep_ratio=True),
    dict(type='RandomFlip', prob=0.5),
    dict(type='PhotoMetricDistortion', contrast_range=(0.7, 1.3), saturation_range=(0.7, 1.3)),
    dict(type='mmwsss.RandomCropOrPad', crop_size=(448, 448), pad_val=(103.53, 116.28, 123.675)),
    dict(type='mmwsss.PackWeakInputs'),
]
test_pipeline = [
    dict(type='mmwsss.LoadImageFromFile'),
    dict(type='mmwsss.PackWeakInputs'),
]
train_dataloader = dict(
    batch_size=16,
    num_workers=4,
    persistent_workers=True,
    drop_last=True,
    sampler=dict(type='mmwsss.RepeatFactorSampler', oversample_thr=0, shuffle=True),
    dataset=dict(type='mmwsss.ImageLabelDataset', pipeline=train_pipeline),
)
val_dataloader = dict(
    batch_size=1,
    num_workers=2,
    persistent_workers=True,
    sampler=dict(type='DefaultSampler', shuffle=False, round_up=False),
    dataset=dict(type='mmwsss.ImageLabelDataset', pipeline=test_pipeline, test_mode=True),
)
test_dataloader = dict(
    batch_size=1,
    num_workers=1,
    persistent_workers=True,
    sampler=dict(type='DefaultSampler', shuffle=False, round_up=False),
    dataset=dict(type='mmwsss.ImageLabelDataset', pipeline=test_pipeline, test_mode=True),
)
val_evaluator = dict(type='mmwsss.MultiLabelMetric')
val_cfg = dict(type='ValLoop', fp16=True)
# The affinity labels are made by two exponents of the background, a strong and a weak one.
test_cfg = dict(
    type='mmwsss.LabelLoop',
    fp16=True,
    num_workers=4,
    chains=dict(
        affinity_labels=dict(labeler=dict(type='mmwsss.AffinityLabeler', alpha_low=4, alpha_high=32)),
        cam_dcrf=dict(
            refiners=[dict(type='mmwsss.Background', score=0.2), dict(type='mmwsss.DenseCRF')],
            labeler=dict(type='mmwsss.ArgmaxLabeler'),
        ),
    ),
)
test_evaluator = [
    dict(type='mmwsss.SeedMetric', background_score=0.2, output_dir='seeds'),
    dict(type='mmwsss.AffinityLabelMetric', chain='affinity_labels', output_dir='affinity_labels'),
    dict(type='mmwsss.PseudoMaskMetric', chain='cam_dcrf', prefix='cam_dcrf'),
]
