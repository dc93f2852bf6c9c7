_base_ = [
    '{{$MMWSSS_SETTINGS:../voc12/settings.py}}',
    '../../_base_/models/deeplabv1_vgg16.py',
    '../../_base_/schedules/psa_segmentor.py',
]
pad_val = (104.008, 116.669, 122.675)
model = dict(
    backbone=dict(init_cfg=dict(type='Pretrained', checkpoint={{_base_.segmentor_weights}}, prefix='backbone.'))
)
optim_wrapper = dict(
    paramwise_cfg=dict(
        custom_keys={
            'decode_head.convs.0.conv.bias': dict(lr_mult=20, decay_mult=0),
            'decode_head.conv_seg.bias': dict(lr_mult=20, decay_mult=0),
        }
    )
)
