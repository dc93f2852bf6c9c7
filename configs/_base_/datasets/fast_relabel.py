# Pseudo masks made anew by a classifier of pixels; image-level labels gate its scores.
test_pipeline = [
    dict(type='mmwsss.LoadImageFromFile'),
    dict(
        type='TestTimeAug',
        transforms=[
            [dict(type='Resize', scale=(448, 448), keep_ratio=True)],
            [dict(type='mmwsss.PackWeakInputs')],
        ],
    ),
]
test_dataloader = dict(
    batch_size=1,
    num_workers=1,
    persistent_workers=True,
    sampler=dict(type='DefaultSampler', shuffle=False, round_up=False),
    dataset=dict(type='mmwsss.ImageLabelDataset', pipeline=test_pipeline, test_mode=True),
)
test_cfg = dict(
    type='mmwsss.LabelLoop',
    fp16=True,
    num_workers=1,
    chains=dict(
        pseudo_masks=dict(
            refiners=[dict(type='mmwsss.CosineAffinity', power=3, own_share=0.5), dict(type='mmwsss.PAR')],
            labeler=dict(type='mmwsss.ArgmaxLabeler'),
        ),
    ),
)
# The seeds are kept for tools/refine.py, which tries other chains without the network.
test_evaluator = [
    dict(type='mmwsss.SeedMetric', output_dir='seeds', format_only=True, prefix='scores'),
    dict(type='mmwsss.PseudoMaskMetric', chain='pseudo_masks', num_refiners=0, prefix='pixels'),
    dict(type='mmwsss.PseudoMaskMetric', chain='pseudo_masks', prefix='pixels_par', output_dir='pseudo_masks'),
]
