# AdamW with a poly schedule for transformers, as SegFormer and Swin are trained for segmentation: norms do not decay,
# new layers learn ten times as fast. The forward pass runs in bfloat16 where the processor has it.
optim_wrapper = dict(
    type='mmwsss.BFloat16OptimWrapper',
    optimizer=dict(type='AdamW', lr=6e-5, betas=(0.9, 0.999), weight_decay=0.01),
    paramwise_cfg=dict(
        norm_decay_mult=0,
        custom_keys={'head': dict(lr_mult=10)},
    ),
)
param_scheduler = [
    dict(type='LinearLR', start_factor=1e-6, by_epoch=False, begin=0, end=500),
    dict(type='PolyLR', eta_min=0.0, power=1.0, by_epoch=False),
]
train_cfg = dict(type='IterBasedTrainLoop', max_iters=10000, val_interval=10**9)
