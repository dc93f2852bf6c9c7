# IRNet on ResNet-50, CamVid, on the images of its AffinityNet and for as many iterations. There is no background.
_base_ = '../../../affinitynet/camvid/resnet50/affinity.py'
work_dir = 'work_dirs/irnet/camvid/resnet50/affinity'
model = dict(
    type='mmwsss.IRNet',
    stem='maxpool',
    head=dict(_delete_=True, type='mmwsss.IRNetHead', stride=4, radius=5, training_radius=10, border='reference'),
)
optim_wrapper = dict(
    optimizer=dict(lr=0.1, momentum=1e-4, weight_decay=1e-4),
    paramwise_cfg=dict(_delete_=True, custom_keys={'head.displacement': dict(lr_mult=10)}),
)
custom_hooks = [dict(type='mmwsss.DisplacementMeanHook')]
test_cfg = dict(
    chains=dict(
        pseudo_masks=dict(
            refiners=[
                dict(type='mmwsss.RandomWalk', beta=10, alpha=None, num_steps=256),
                dict(type='mmwsss.Normalize', joint=True),
            ],
        ),
    ),
)
test_evaluator = [
    dict(type='mmwsss.PseudoMaskMetric', chain='pseudo_masks', prefix='random_walk', output_dir='pseudo_masks'),
]
