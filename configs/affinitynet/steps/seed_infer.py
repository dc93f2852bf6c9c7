# Step 2: seeds and affinity labels with the classifier of step 1.
_base_ = [
    '../networks/seed_{{$MMWSSS_NETWORK:mobilenet_v2}}.py',
    '../../_base_/default_runtime.py',
    '../../_base_/datasets/seed_infer.py',
]
# Nothing trains here.
train_cfg = None
optim_wrapper = None
param_scheduler = None
model = dict(
    head=dict(num_labels={{_base_.num_labels}}),
    test_cfg=dict(
        scales={{_base_.cam_scales}},
        scale_weights={{_base_.cam_scale_weights}},
        flip=True,
        seed_stride=3,
        size_divisor={{_base_.cam_size_divisor}},
        peak_quantile={{_base_.peak_quantile}},
        with_background={{_base_.with_background}},
    ),
)
test_pipeline = [dict(type='LoadPhoto'), {{_base_.test_resize}}, dict(type='PackWeakInputs')]
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
