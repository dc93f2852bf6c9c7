# The schedule of AffinityNet itself on ResNet-38: 8 epochs of VOC's 10,582 images in batches of 8. psa_cls.py says why
# the momentum is 5e-4 and which learning rates are multiplied. Of the learning rates published, 0.01 is the one that
# gives the figures of ResNet-38.
optim_wrapper = dict(
    type='OptimWrapper',
    optimizer=dict(type='SGD', lr=0.01, momentum=5e-4, weight_decay=5e-4),
    paramwise_cfg=dict(
        bias_lr_mult=2,
        bias_decay_mult=0,
        custom_keys={
            'head.projections': dict(lr_mult=10),
            'head.mix': dict(lr_mult=10),
        },
    ),
)
param_scheduler = [dict(type='PolyLR', eta_min=0.0, power=0.9, by_epoch=False)]
train_cfg = dict(type='IterBasedTrainLoop', max_iters=10576, val_interval=10**9)
