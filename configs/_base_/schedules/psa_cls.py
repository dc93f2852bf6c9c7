# AffinityNet's schedule of the classifier: 15 epochs of VOC's 10,582 images in batches of 16, without the last
# batch of an epoch. A config for other data sets max_iters.
#
# momentum is 5e-4 and not 0.9: the released optimizer passes its weight decay where SGD expects the momentum, and its
# own `momentum`, 0.9, is the power of the poly schedule. With 0.9, this learning rate, 1.0 in the new layers, would be
# a step about ten times as long; take lr=0.01 if you set momentum=0.9.
optim_wrapper = dict(
    type='OptimWrapper',
    optimizer=dict(type='SGD', lr=0.1, momentum=5e-4, weight_decay=5e-4),
    # Learning rates x 1, 2, 10: weights and biases of the backbone, new weights; biases do not decay. x 20, new biases,
    # is of no parameter: the new layers have none.
    paramwise_cfg=dict(
        bias_lr_mult=2,
        bias_decay_mult=0,
        custom_keys={'head.classifier': dict(lr_mult=10)},
    ),
)
param_scheduler = [dict(type='PolyLR', eta_min=0.0, power=0.9, by_epoch=False)]
train_cfg = dict(type='IterBasedTrainLoop', max_iters=9915, val_interval=10**9)
