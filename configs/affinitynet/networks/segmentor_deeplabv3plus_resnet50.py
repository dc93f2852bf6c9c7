_base_ = [
    '{{$MMWSSS_SETTINGS:../voc12/settings.py}}',
    '../../_base_/models/deeplabv3plus_resnet50.py',
    '../../_base_/schedules/psa_segmentor.py',
]
pad_val = (103.53, 116.28, 123.675)
model = dict(
    backbone=dict(init_cfg=dict(type='Pretrained', checkpoint={{_base_.segmentor_weights}}, prefix='backbone.')),
    auxiliary_head=dict(num_classes={{_base_.num_classes}}),
)
optim_wrapper = dict(
    paramwise_cfg=dict(
        custom_keys={
            'auxiliary_head': dict(lr_mult=10),
            'decode_head.conv_seg.bias': dict(lr_mult=20, decay_mult=0),
        }
    )
)
