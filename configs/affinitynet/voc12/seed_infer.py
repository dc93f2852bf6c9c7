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
        scale_weights=(1, 1, 3),
        flip=True,
        seed_stride=4,
        size_divisor=16,
        peak_quantile=0.95,
    ),
)
test_dataloader = dict(
    dataset=dict(dataset={{_base_.train_photos}}, image_labels={{_base_.image_labels}}, mask_list={{_base_.mask_list}})
)
test_evaluator = [
    dict(
        type='SeedMetric',
        output_dir={{_base_.seed_dir}},
        background_score={{_base_.background_score}},
    ),
    dict(
        type='AffinityLabelMetric',
        generator=dict(type='AffinityLabelGenerator', alpha_low={{_base_.alpha_low}}, alpha_high={{_base_.alpha_high}}),
        output_dir={{_base_.affinity_label_dir}},
        num_workers={{_base_.num_workers}},
    ),
    dict(
        type='PseudoMaskMetric',
        dense_crf=dict(type='DenseCRF'),
        background_score={{_base_.background_score}},
        prefix='cam_dcrf',
        num_workers=1,
    ),
]
