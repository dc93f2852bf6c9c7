# IRNet of the quick start, on the affinity labels and seeds of its classifier, from which it starts; pseudo masks, and
# masks of single creatures.
_base_ = '../../../affinitynet/scenes/r18/affinity.py'
work_dir = 'work_dirs/irnet/scenes/r18/affinity'
model = dict(
    type='mmwsss.IRNet',
    stem='maxpool',
    head=dict(_delete_=True, type='mmwsss.IRNetHead', stride=4, training_radius=5),
    instances=True,
)
optim_wrapper = dict(paramwise_cfg=dict(custom_keys={'head.displacement': dict(lr_mult=10)}))
custom_hooks = [dict(type='mmwsss.DisplacementMeanHook')]
test_cfg = dict(
    chains=dict(
        pseudo_masks=dict(
            refiners=[
                dict(type='mmwsss.RandomWalk', beta=10, alpha=None, num_steps=64),
                dict(type='mmwsss.Normalize'),
                dict(type='mmwsss.Background', score=0.25),
                dict(type='mmwsss.DenseCRF'),
            ],
        ),
        instances=dict(
            refiners=[dict(type='mmwsss.InstanceWalk', num_steps=64)],
            labeler=dict(type='mmwsss.InstanceLabeler'),
        ),
    ),
)
test_evaluator = [
    dict(type='mmwsss.PseudoMaskMetric', chain='pseudo_masks', num_refiners=3, prefix='random_walk'),
    dict(type='mmwsss.PseudoMaskMetric', chain='pseudo_masks', prefix='random_walk_dcrf', output_dir='pseudo_masks'),
    dict(
        type='mmwsss.InstanceMetric',
        chain='instances',
        instance_dir='data/scenes/instances',
        output_dir='instances',
    ),
]
