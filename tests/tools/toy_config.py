custom_imports = dict(imports=['toy_components', 'mmwsss.registry'])
work_dir = 'work_dirs/toy/stage'
default_scope = 'mmseg'
model = dict(type='ToyModel')
loader = dict(
    batch_size=2,
    num_workers=0,
    persistent_workers=True,
    dataset=dict(type='ToyDataset'),
    collate_fn=dict(type='pseudo_collate'),
)
train_dataloader = dict(sampler=dict(type='InfiniteSampler', shuffle=True), **loader)
test_dataloader = dict(sampler=dict(type='DefaultSampler', shuffle=False, round_up=False), **loader)
test_evaluator = [dict(type='ToyMetric')]
train_cfg = dict(type='IterBasedTrainLoop', max_iters=4)
test_cfg = dict(type='TestLoop')
optim_wrapper = dict(type='OptimWrapper', optimizer=dict(type='SGD', lr=0.01))
default_hooks = dict(
    checkpoint=dict(type='CheckpointHook', by_epoch=False, interval=2, max_keep_ckpts=2),
    logger=dict(type='LoggerHook', interval=1),
    final_checkpoint=dict(type='mmwsss.FinalCheckpointHook'),
    progress=dict(type='mmwsss.ProgressHook'),
    off=None,
)
log_processor = dict(by_epoch=False)
