default_scope = 'mmseg'
custom_imports = dict(
    imports=['mmwsss.models', 'mmwsss.datasets', 'mmwsss.evaluation', 'mmwsss.engine'],
    allow_failed_imports=False,
)
env_cfg = dict(
    cudnn_benchmark=True,
    mp_cfg=dict(mp_start_method='fork', opencv_num_threads=0),
    dist_cfg=dict(backend='nccl'),
)
# TensorBoard, W&B or MLflow beside the files: add TensorboardVisBackend, WandbRunBackend or MLflowImageBackend.
vis_backends = [dict(type='LocalVisBackend')]
visualizer = dict(type='SegLocalVisualizer', vis_backends=vis_backends, name='visualizer')
log_processor = dict(by_epoch=False, window_size=20)
log_level = 'INFO'
load_from = None
resume = False
randomness = dict(seed=0)
# These merge with the default_hooks of a config by their names; custom_hooks are left to it.
# Activation maps or affinities during training: maps=dict(type='MapVisualizationHook', interval=200).
default_hooks = dict(
    timer=dict(type='IterTimerHook'),
    logger=dict(type='LoggerHook', interval=20, log_metric_by_epoch=False),
    param_scheduler=dict(type='ParamSchedulerHook'),
    checkpoint=dict(type='CheckpointHook', by_epoch=False, interval=200, max_keep_ckpts=2),
    sampler_seed=dict(type='DistSamplerSeedHook'),
    channels_last=dict(type='ChannelsLastHook'),
    evaluation_precision=dict(type='EvaluationPrecisionHook'),
    fuse_conv_bn=dict(type='FuseConvBNHook'),
)
