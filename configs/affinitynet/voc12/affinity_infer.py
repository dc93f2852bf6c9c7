_base_ = [
    '{{$MMWSSS_SETTINGS:./settings.py}}',
    '../../_base_/default_runtime.py',
    '../../_base_/datasets/affinity_infer.py',
    '../../_base_/models/affinity_mobilenet_v2.py',
]
model = dict(
    postprocessor=dict(beta={{_base_.beta}}, alpha={{_base_.alpha}}, num_steps={{_base_.num_steps}}),
)
test_dataloader = dict(
    dataset=dict(
        dataset={{_base_.train_photos}},
        image_labels={{_base_.image_labels}},
        seed_dir={{_base_.seed_dir}},
        mask_list={{_base_.mask_list}},
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
