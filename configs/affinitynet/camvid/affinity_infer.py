_base_ = [
    '{{$MMWSSS_SETTINGS:./settings.py}}',
    '../../_base_/default_runtime.py',
    '../../_base_/datasets/affinity_infer.py',
    '../../_base_/models/affinity_mobilenet_v2.py',
]
model = dict(
    head=dict(with_background={{_base_.with_background}}),
    postprocessor=dict(
        beta={{_base_.beta}},
        alpha={{_base_.alpha}},
        num_steps={{_base_.num_steps}},
        with_background={{_base_.with_background}},
    ),
)
test_pipeline = [
    dict(type='LoadPhoto'),
    dict(type='LoadSeeds'),
    dict(type='Resize', scale={{_base_.test_scale}}, keep_ratio=True),
    dict(type='PackWeakInputs'),
]
test_dataloader = dict(
    dataset=dict(
        dataset={{_base_.train_photos}},
        image_labels={{_base_.image_labels}},
        with_background={{_base_.with_background}},
        seed_dir={{_base_.seed_dir}},
        mask_list={{_base_.mask_list}},
        pipeline=test_pipeline,
    )
)
test_evaluator = [
    dict(type='PseudoMaskMetric', prefix='random_walk', num_workers=1),
    dict(
        type='PseudoMaskMetric',
        dense_crf=dict(type='DenseCRF', num_iters={{_base_.crf_num_iters}}, bilateral={{_base_.crf_bilateral}}),
        # The segmentor ignores pixels whose two best classes are this close.
        margin=0.2,
        output_dir={{_base_.pseudo_mask_dir}},
        prefix='random_walk_dcrf',
        num_workers={{_base_.num_workers}},
    ),
]
