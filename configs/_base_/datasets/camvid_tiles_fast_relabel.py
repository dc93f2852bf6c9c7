_base_ = ['./camvid_tiles.py', './fast_relabel.py']
test_pipeline = [
    dict(type='mmwsss.LoadImageFromFile'),
    dict(
        type='TestTimeAug',
        transforms=[
            [dict(type='Resize', scale=(192, 192), keep_ratio=True)],
            [dict(type='mmwsss.PackWeakInputs')],
        ],
    ),
]
test_dataloader = dict(
    dataset=dict(dataset={{_base_.train_dataset}}, image_labels={{_base_.image_labels}}, pipeline=test_pipeline)
)
# Cosine affinity and PAR swallow what is thinner than a cell, and take 3 points from these masks.
test_cfg = dict(chains=dict(pseudo_masks=dict(refiners=[])))
test_evaluator = [
    dict(type='mmwsss.SeedMetric', output_dir='seeds', format_only=True, prefix='scores'),
    dict(type='mmwsss.PseudoMaskMetric', chain='pseudo_masks', prefix='pixels', output_dir='pseudo_masks'),
]
