# As psa_deeplabv1.py, for a DeepLabV2, whose head has a bias a branch: a smaller learning rate and 30,000 iterations.
optim_wrapper = dict(
    type='OptimWrapper',
    optimizer=dict(type='SGD', lr=2.5e-4, momentum=0.9, weight_decay=5e-4),
    paramwise_cfg=dict(
        bias_lr_mult=2,
        bias_decay_mult=0,
        custom_keys={
            'decode_head': dict(lr_mult=10),
            'decode_head.conv_seg.branches.0.bias': dict(lr_mult=20, decay_mult=0),
            'decode_head.conv_seg.branches.1.bias': dict(lr_mult=20, decay_mult=0),
            'decode_head.conv_seg.branches.2.bias': dict(lr_mult=20, decay_mult=0),
            'decode_head.conv_seg.branches.3.bias': dict(lr_mult=20, decay_mult=0),
        },
    ),
)
param_scheduler = [dict(type='PolyLR', eta_min=0.0, power=0.9, by_epoch=False)]
train_cfg = dict(type='IterBasedTrainLoop', max_iters=30000, val_interval=10**9)
