_base_ = [
    '{{$MMWSSS_SETTINGS:./settings.py}}',
    '../../_base_/default_runtime.py',
    '../../_base_/datasets/scenes_test.py',
    '../../_base_/models/cam_r18.py',
]
model = dict(
    head=dict(num_labels={{_base_.num_labels}}),
    test_cfg=dict(scales=(1.0,), flip=True, seed_stride=4, size_divisor=8),
)
test_dataloader = dict(
    dataset=dict(dataset={{_base_.train_photos}}, image_labels={{_base_.image_labels}}, mask_list={{_base_.mask_list}})
)
test_evaluator = [
    dict(type='SeedMetric', output_dir={{_base_.seed_dir}}, background_score={{_base_.background_score}}),
    dict(
        type='AffinityLabelMetric',
        generator=dict(type='AffinityLabelGenerator'),
        output_dir={{_base_.affinity_label_dir}},
        num_workers={{_base_.num_workers}},
    ),
    dict(
        type='PseudoMaskMetric',
        dense_crf=dict(type='DenseCRF'),
        background_score={{_base_.background_score}},
        prefix='cam_dcrf',
        num_workers={{_base_.num_workers}},
    ),
]
