_base_ = ['./base.py', './images.py']
work_dir = 'work_dirs/tiny/cam'
model = dict(
    type='mmwsss.CAMClassifier',
    head=dict(type='mmwsss.CAMHead', in_channels=64, num_classes=2),
    test_cfg=dict(scales=(1.0, 0.5), seed_stride=4),
)
load = dict(type='mmwsss.LoadImageFromFile')
pack = dict(type='mmwsss.PackWeakInputs')
train_pipeline = [
    load,
    dict(type='RandomResize', scale=(64, 64), ratio_range=(0.75, 1.25), keep_ratio=True),
    dict(type='mmwsss.RandomCropOrPad', crop_size=(64, 64), pad_val=(127.5, 127.5, 127.5)),
    pack,
]
test_pipeline = [load, dict(type='Resize', scale=(64, 64), keep_ratio=True), pack]
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
val_dataloader = dict(
    batch_size=1,
    num_workers=0,
    sampler={{_base_.in_order}},
    dataset=dict(pipeline=test_pipeline, **_base_.dataset),
)
test_dataloader = dict(dataset=dict(pipeline=test_pipeline))
val_cfg = dict(type='ValLoop')
val_evaluator = dict(type='mmwsss.MultiLabelMetric')
test_cfg = dict(
    type='mmwsss.LabelLoop',
    fp16=True,
    chains=dict(
        affinity_labels=dict(labeler=dict(type='mmwsss.AffinityLabeler', num_iters=2)),
        cam_dcrf=dict(
            refiners=[dict(type='mmwsss.Background', score=0.2), dict(type='mmwsss.DenseCRF', num_iters=2)],
            labeler=dict(type='mmwsss.ArgmaxLabeler'),
        ),
    ),
)
test_evaluator = [
    dict(type='mmwsss.SeedMetric', output_dir='seeds'),
    dict(type='mmwsss.AffinityLabelMetric', chain='affinity_labels', output_dir='affinity_labels'),
    dict(type='mmwsss.PseudoMaskMetric', chain='cam_dcrf', output_dir='cam_dcrf'),
]
