_base_ = [
    '{{$MMWSSS_SETTINGS:./settings.py}}',
    '../../_base_/default_runtime.py',
    '../../_base_/datasets/seed_infer.py',
    '../../_base_/models/cam_mobilenet_v2.py',
]
model = dict(
    head=dict(num_labels={{_base_.num_labels}}),
    test_cfg=dict(
        scales=(0.5, 1.25, 2.0),
        flip=True,
        seed_stride=4,
        size_divisor=16,
        with_background={{_base_.with_background}},
    ),
)
test_pipeline = [
    dict(type='LoadPhoto'),
    dict(type='Resize', scale={{_base_.test_scale}}, keep_ratio=True),
    dict(type='PackWeakInputs'),
]
test_dataloader = dict(
    dataset=dict(
        dataset={{_base_.train_photos}},
        image_labels={{_base_.image_labels}},
        with_background={{_base_.with_background}},
        mask_list={{_base_.mask_list}},
        pipeline=test_pipeline,
    )
)
test_evaluator = [
    dict(
        type='SeedMetric',
        output_dir={{_base_.seed_dir}},
        background_score={{_base_.background_score}},
        with_background={{_base_.with_background}},
    ),
    dict(
        type='AffinityLabelMetric',
        generator=dict(
            type='AffinityLabelGenerator',
            alpha_low={{_base_.alpha_low}},
            alpha_high={{_base_.alpha_high}},
            with_background={{_base_.with_background}},
        ),
        output_dir={{_base_.affinity_label_dir}},
        num_workers={{_base_.num_workers}},
    ),
    dict(
        type='PseudoMaskMetric',
        dense_crf=dict(type='DenseCRF'),
        background_score={{_base_.background_score}},
        with_background={{_base_.with_background}},
        prefix='cam_dcrf',
        num_workers=1,
    ),
]
