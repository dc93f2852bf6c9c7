# The schedule of AffinityNet itself on VGG-16: 8 epochs of VOC's 10,582 images in batches of 8. psa_cls.py says why the
# momentum is 5e-4 and which learning rates are multiplied.
optim_wrapper = dict(
    type='OptimWrapper',
    optimizer=dict(type='SGD', lr=0.1, momentum=5e-4, weight_decay=5e-4),
    paramwise_cfg=dict(
        bias_lr_mult=2,
        bias_decay_mult=0,
        # The GroupNorms learn as the backbone does.
        custom_keys={
            'head.projections.0.0': dict(lr_mult=10),
            'head.projections.1.0': dict(lr_mult=10),
            'head.projections.2.0': dict(lr_mult=10),
            'head.projections.0.1.bias': dict(lr_mult=2, decay_mult=0),
            'head.projections.1.1.bias': dict(lr_mult=2, decay_mult=0),
            'head.projections.2.1.bias': dict(lr_mult=2, decay_mult=0),
            'head.mix': dict(lr_mult=10),
        },
    ),
)
param_scheduler = [dict(type='PolyLR', eta_min=0.0, power=0.9, by_epoch=False)]
train_cfg = dict(type='IterBasedTrainLoop', max_iters=10576, val_interval=10**9)
