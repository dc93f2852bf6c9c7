# Pseudo masks from stored seeds and features. No network runs, so that other settings of the chain take seconds. The
# scores of the background were picked on half of the masked images of six classes of VOC.
test_pipeline = [dict(type='mmwsss.LoadSeeds'), dict(type='mmwsss.PackWeakInputs')]
test_dataloader = dict(
    batch_size=1,
    num_workers=0,
    sampler=dict(type='DefaultSampler', shuffle=False, round_up=False),
    dataset=dict(type='mmwsss.ImageLabelDataset', pipeline=test_pipeline, test_mode=True),
)
test_cfg = dict(
    type='mmwsss.LabelLoop',
    num_workers=2,
    chains=dict(
        cosine=dict(
            refiners=[
                dict(type='mmwsss.CosineAffinity', power=3),
                dict(type='mmwsss.Normalize'),
                dict(type='mmwsss.Background', score=0.52),
            ],
            labeler=dict(type='mmwsss.ArgmaxLabeler'),
        ),
        pseudo_masks=dict(
            refiners=[
                dict(type='mmwsss.CosineAffinity', power=3),
                dict(type='mmwsss.PAR'),
                dict(type='mmwsss.Normalize'),
                dict(type='mmwsss.Background', score=0.61),
            ],
            labeler=dict(type='mmwsss.ArgmaxLabeler'),
        ),
    ),
)
test_evaluator = [
    dict(type='mmwsss.PseudoMaskMetric', chain='cosine'),
    dict(type='mmwsss.PseudoMaskMetric', chain='pseudo_masks', prefix='cosine_par', output_dir='pseudo_masks'),
]
