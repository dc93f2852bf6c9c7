# SGD with a poly schedule over train_cfg.max_iters, which a config that inherits this sets beside the learning rates.
# Warm-up and poly schedule multiply, so that runs of any length work. The forward pass runs in bfloat16 where the
# processor has it, which is 2 to 3 times as fast.
optim_wrapper = dict(
    type='mmwsss.BFloat16OptimWrapper',
    optimizer=dict(type='SGD', lr=0.004, momentum=0.9, weight_decay=5e-4),
)
param_scheduler = [
    dict(type='LinearLR', start_factor=0.1, by_epoch=False, begin=0, end=30),
    dict(type='PolyLR', eta_min=0.0, power=0.9, by_epoch=False),
]
train_cfg = dict(type='IterBasedTrainLoop', max_iters=1000, val_interval=10**9)
