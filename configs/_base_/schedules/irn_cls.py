# As IRN's released code trains its classifier on ResNet-50: 5 epochs of VOC's 10,582 images in batches of 16. Its
# optimizer, too, has the weight decay for a momentum (psa_cls.py says why), and no parameter is spared the decay.
optim_wrapper = dict(
    type='OptimWrapper',
    optimizer=dict(type='SGD', lr=0.1, momentum=1e-4, weight_decay=1e-4),
    paramwise_cfg=dict(custom_keys={'head.classifier': dict(lr_mult=10)}),
)
param_scheduler = [dict(type='PolyLR', eta_min=0.0, power=0.9, by_epoch=False)]
train_cfg = dict(type='IterBasedTrainLoop', max_iters=3305, val_interval=10**9)
