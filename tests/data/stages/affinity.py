_base_ = ['./base.py', './images.py']
work_dir = 'work_dirs/tiny/affinity'
model = dict(
    type='mmwsss.AffinityNet',
    head=dict(type='mmwsss.AffinityHead', in_channels=(16, 32, 64), in_index=(1, 2, 3), channels=(4, 8, 16), radius=3),
)
load = dict(type='mmwsss.LoadImageFromFile')
pack = dict(type='mmwsss.PackWeakInputs')
train_pipeline = [
    load,
    dict(type='mmwsss.LoadLabelMap', source='affinity_label'),
    dict(type='mmwsss.RandomCropOrPad', crop_size=(64, 64), pad_val=(127.5, 127.5, 127.5)),
    pack,
]
test_pipeline = [
    load,
    dict(type='mmwsss.LoadSeeds'),
    dict(type='Resize', scale=(64, 64), keep_ratio=True),
    pack,
]
train_dataloader = dict(
    dataset=dict(affinity_label_dir='work_dirs/tiny/cam/affinity_labels', pipeline=train_pipeline),
)
test_dataloader = dict(
    dataset=dict(seed_dir='work_dirs/tiny/cam/seeds', pipeline=test_pipeline),
)
test_cfg = dict(
    type='mmwsss.LabelLoop',
    fp16=True,
    chains=dict(
        pseudo_masks=dict(
            refiners=[
                dict(type='mmwsss.RandomWalk', beta=2, alpha=12, num_steps=4),
                dict(type='mmwsss.DenseCRF', num_iters=2),
            ],
            labeler=dict(type='mmwsss.ArgmaxLabeler', margin=0.3),
        )
    ),
)
test_evaluator = [
    dict(type='mmwsss.PseudoMaskMetric', chain='pseudo_masks', num_refiners=1, prefix='random_walk'),
    dict(type='mmwsss.PseudoMaskMetric', chain='pseudo_masks', output_dir='pseudo_masks'),
]
