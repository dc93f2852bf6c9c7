# How segmentors on the pseudo masks of AffinityNet and its successors train, for a DeepLabV1: SGD with a momentum of
# 0.9. Learning rates x 1, 2, 10, 20: weights and biases of the backbone, those of the head; biases do not decay.
optim_wrapper = dict(
    type='OptimWrapper',
    optimizer=dict(type='SGD', lr=0.001, momentum=0.9, weight_decay=5e-4),
    paramwise_cfg=dict(
        bias_lr_mult=2,
        bias_decay_mult=0,
        custom_keys={
            'decode_head': dict(lr_mult=10),
            'decode_head.convs.0.conv.bias': dict(lr_mult=20, decay_mult=0),
            'decode_head.conv_seg.bias': dict(lr_mult=20, decay_mult=0),
        },
    ),
)
param_scheduler = [dict(type='PolyLR', eta_min=0.0, power=0.9, by_epoch=False)]
train_cfg = dict(type='IterBasedTrainLoop', max_iters=20000, val_interval=10**9)
