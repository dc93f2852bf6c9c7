_base_ = [
    '{{$MMWSSS_SETTINGS:../voc12/settings.py}}',
    '../../_base_/models/cam_mobilenet_v2.py',
    '../../_base_/schedules/sgd_poly.py',
]
pad_val = (127.5, 127.5, 127.5)
model = dict(
    backbone=dict(init_cfg=dict(type='Pretrained', checkpoint={{_base_.weights}})),
    head=dict(expand=dict(init_cfg=dict(type='Pretrained', checkpoint={{_base_.weights}}, prefix='conv2.'))),
)
optim_wrapper = dict(optimizer=dict(lr=0.004), paramwise_cfg=dict(custom_keys={'head.classifier': dict(lr_mult=10)}))
