# Scenes are small and of one size: mirror images are the only variants.
_base_ = './scenes.py'
test_pipeline = [
    dict(type='mmwsss.LoadImageFromFile'),
    dict(
        type='TestTimeAug',
        transforms=[
            [dict(type='RandomFlip', prob=0.0), dict(type='RandomFlip', prob=1.0)],
            [dict(type='mmwsss.PackWeakInputs')],
        ],
    ),
]
test_dataloader = dict(
    batch_size=16,
    num_workers=1,
    sampler=dict(type='DefaultSampler', shuffle=False, round_up=False),
    dataset=dict(
        type='mmwsss.ImageLabelDataset',
        dataset={{_base_.train_dataset}},
        image_labels={{_base_.image_labels}},
        mask_list={{_base_.mask_list}},
        pipeline=test_pipeline,
        test_mode=True,
    ),
)
test_cfg = dict(
    type='mmwsss.LabelLoop',
    fp16=True,
    num_workers=1,
    chains=dict(
        pseudo_masks=dict(
            refiners=[dict(type='mmwsss.DenseCRF')],
            labeler=dict(type='mmwsss.ArgmaxLabeler'),
        ),
    ),
)
test_evaluator = [
    dict(type='mmwsss.PseudoMaskMetric', chain='pseudo_masks', num_refiners=0, prefix='relabel'),
    dict(type='mmwsss.PseudoMaskMetric', chain='pseudo_masks', prefix='relabel_dcrf', output_dir='pseudo_masks'),
]
