_base_ = [
    '{{$MMWSSS_SETTINGS:../voc12/settings.py}}',
    '../../_base_/models/cam_swin_t.py',
    '../../_base_/schedules/adamw_poly.py',
]
# The norms of stages that no head reads learn nothing, which several processes must know.
find_unused_parameters = True
pad_val = (103.53, 116.28, 123.675)
model = dict(backbone=dict(init_cfg=dict(type='Pretrained', checkpoint={{_base_.weights}})))
optim_wrapper = dict(paramwise_cfg=dict(custom_keys={'relative_position_bias_table': dict(decay_mult=0)}))
