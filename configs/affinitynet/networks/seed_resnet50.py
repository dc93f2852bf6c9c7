_base_ = [
    '{{$MMWSSS_SETTINGS:../voc12/settings.py}}',
    '../../_base_/models/cam_resnet50.py',
    '../../_base_/schedules/psa_cls.py',
]
pad_val = (103.53, 116.28, 123.675)
model = dict(backbone=dict(init_cfg=dict(type='Pretrained', checkpoint={{_base_.weights}}, prefix='backbone.')))
# As IRN's released code trains it: its optimizer, too, has the weight decay for a momentum, and no parameter is spared.
optim_wrapper = dict(
    optimizer=dict(momentum=1e-4, weight_decay=1e-4),
    paramwise_cfg=dict(bias_lr_mult=1, bias_decay_mult=1),
)
