# The schedule of ResNet-38: none is published for this one.
_base_ = [
    '{{$MMWSSS_SETTINGS:../voc12/settings.py}}',
    '../../_base_/models/affinity_resnet50.py',
    '../../_base_/schedules/psa_aff_resnet38d.py',
]
pad_val = (103.53, 116.28, 123.675)
model = dict(backbone=dict(init_cfg=dict(type='Pretrained', checkpoint={{_base_.weights}}, prefix='backbone.')))
