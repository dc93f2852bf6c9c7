# Step 4: pseudo masks from the seeds of step 2 and AffinityNet.
_base_ = [
    '../networks/affinity_{{$MMWSSS_NETWORK:mobilenet_v2}}.py',
    '../../_base_/default_runtime.py',
    '../../_base_/datasets/affinity_infer.py',
]
# Nothing trains here.
train_cfg = None
optim_wrapper = None
param_scheduler = None
model = dict(
    head=dict(border={{_base_.border}}, with_background={{_base_.with_background}}),
    postprocessor=dict(
        beta={{_base_.beta}},
        alpha={{_base_.alpha}},
        num_steps={{_base_.num_steps}},
        with_background={{_base_.with_background}},
    ),
)
test_pipeline = [dict(type='LoadPhoto'), dict(type='LoadSeeds'), {{_base_.test_resize}}, dict(type='PackWeakInputs')]
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
        margin={{_base_.margin}},
        output_dir={{_base_.pseudo_mask_dir}},
        prefix='random_walk_dcrf',
        num_workers={{_base_.num_workers}},
    ),
]
