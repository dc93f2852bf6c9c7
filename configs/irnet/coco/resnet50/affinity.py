# IRNet on ResNet-50, COCO, as on VOC.
_base_ = '../../../affinitynet/coco/resnet50/affinity.py'
work_dir = 'work_dirs/irnet/coco/resnet50/affinity'
model = dict(
    type='mmwsss.IRNet',
    stem='maxpool',
    head=dict(_delete_=True, type='mmwsss.IRNetHead', stride=4, radius=5, training_radius=10, border='reference'),
)
train_pipeline = [
    dict(type='mmwsss.LoadImageFromFile'),
    dict(type='mmwsss.LoadLabelMap', source='affinity_label'),
    dict(type='RandomResize', scale=(500, 500), ratio_range=(0.5, 1.5), keep_ratio=True),
    dict(type='RandomFlip', prob=0.5),
    dict(type='mmwsss.RandomCropOrPad', crop_size=(512, 512), pad_val=(103.53, 116.28, 123.675)),
    dict(type='mmwsss.PackWeakInputs'),
]
train_dataloader = dict(batch_size=32, dataset=dict(pipeline=train_pipeline))
optim_wrapper = dict(
    optimizer=dict(lr=0.1, momentum=1e-4, weight_decay=1e-4),
    paramwise_cfg=dict(_delete_=True, custom_keys={'head.displacement': dict(lr_mult=10)}),
)
train_cfg = dict(max_iters=7700)  # 3 epochs of some 82,000 images in batches of 32
custom_hooks = [dict(type='mmwsss.DisplacementMeanHook')]
test_cfg = dict(
    chains=dict(
        pseudo_masks=dict(
            refiners=[
                dict(type='mmwsss.RandomWalk', beta=10, alpha=None, num_steps=256),
                dict(type='mmwsss.Normalize', joint=True),
                dict(type='mmwsss.Background', score=0.25),
            ],
        ),
    ),
)
test_evaluator = [
    dict(type='mmwsss.PseudoMaskMetric', chain='pseudo_masks', prefix='random_walk', output_dir='pseudo_masks'),
]
