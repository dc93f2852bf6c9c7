_base_ = [
    '{{$MMWSSS_SETTINGS:../voc12/settings.py}}',
    '../../_base_/models/deeplabv3plus_mobilenet_v2.py',
    '../../_base_/schedules/sgd_poly.py',
]
pad_val = (127.5, 127.5, 127.5)
model = dict(
    backbone=dict(
        frozen_stages={{_base_.segmentor_frozen_stages}},
        init_cfg=dict(type='Pretrained', checkpoint={{_base_.seed_weights}}, prefix='backbone.'),
    )
)
optim_wrapper = dict(
    optimizer=dict(lr={{_base_.segmentor_lr}}), paramwise_cfg=dict(custom_keys={'decode_head': dict(lr_mult=10)})
)
