default_scope = 'mmseg'
# Components of this package are found by their scope, mmwsss; with its registries comes strict loading of checkpoints.
custom_imports = dict(imports=['mmwsss.registry'], allow_failed_imports=False)
env_cfg = dict(
    cudnn_benchmark=True,
    mp_cfg=dict(mp_start_method='fork', opencv_num_threads=0),
    dist_cfg=dict(backend='nccl'),
)
# TensorBoard, W&B or MLflow beside the files: add TensorboardVisBackend, mmwsss.WandbRunBackend or
# mmwsss.MLflowImageBackend. The scope is there for configs that inherit this one from the installed package.
visualizer = dict(
    type='SegLocalVisualizer', _scope_='mmseg', vis_backends=[dict(type='LocalVisBackend')], name='visualizer'
)
log_processor = dict(by_epoch=False, window_size=20)
log_level = 'INFO'
load_from = None
resume = False
# A training repeats with this seed and the same num_workers of its data loader: each worker draws its own numbers.
randomness = dict(seed=0)
# These merge with the default_hooks of a config by their names; custom_hooks are left to it.
# Activation maps or affinities during training: maps=dict(type='mmwsss.MapVisualizationHook', interval=200).
default_hooks = dict(
    timer=dict(type='IterTimerHook'),
    logger=dict(type='LoggerHook', interval=20, log_metric_by_epoch=False),
    param_scheduler=dict(type='ParamSchedulerHook'),
    checkpoint=dict(type='CheckpointHook', by_epoch=False, interval=200, max_keep_ckpts=2),
    sampler_seed=dict(type='DistSamplerSeedHook'),
    channels_last=dict(type='mmwsss.ChannelsLastHook'),
    evaluation_precision=dict(type='mmwsss.EvaluationPrecisionHook'),
    fuse_conv_bn=dict(type='mmwsss.FuseConvBNHook'),
    final=dict(type='mmwsss.FinalCheckpointHook'),
    classes=dict(type='mmwsss.CheckClassesHook'),
    checkpoint_match=dict(type='mmwsss.CheckpointMatchHook'),
    progress=dict(type='mmwsss.ProgressHook'),
    record=dict(type='mmwsss.RecordHook'),
)
