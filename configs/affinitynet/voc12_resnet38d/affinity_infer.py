_base_ = [
    '{{$MMWSSS_SETTINGS:./settings.py}}',
    '../../_base_/default_runtime.py',
    '../../_base_/datasets/affinity_infer.py',
    '../../_base_/models/affinity_resnet38d.py',
]
model = dict(
    head=dict(border={{_base_.border}}),
    postprocessor=dict(beta={{_base_.beta}}, alpha={{_base_.alpha}}, num_steps={{_base_.num_steps}}),
)
test_dataloader = dict(
    num_workers={{_base_.num_workers}},
    dataset=dict(
        dataset={{_base_.train_photos}},
        image_labels={{_base_.image_labels}},
        seed_dir={{_base_.seed_dir}},
        mask_list={{_base_.mask_list}},
        pipeline=[dict(type='LoadPhoto'), dict(type='LoadSeeds'), dict(type='PackWeakInputs')],
    ),
)
test_evaluator = [
    dict(type='PseudoMaskMetric', prefix='random_walk', num_workers=1),
    dict(
        type='PseudoMaskMetric',
        dense_crf=dict(type='DenseCRF', num_iters={{_base_.crf_num_iters}}, bilateral={{_base_.crf_bilateral}}),
        output_dir={{_base_.pseudo_mask_dir}},
        prefix='random_walk_dcrf',
        num_workers={{_base_.num_workers}},
    ),
]
