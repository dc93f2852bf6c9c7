_base_ = [
    '{{$MMWSSS_SETTINGS:../voc12/settings.py}}',
    '../../_base_/models/affinity_vgg16.py',
    '../../_base_/schedules/psa_aff_vgg16.py',
]
pad_val = (104.008, 116.669, 122.675)
# From ImageNet, not from the classifier: that gives the published figures.
model = dict(backbone=dict(init_cfg=dict(type='Pretrained', checkpoint={{_base_.weights}}, prefix='backbone.')))
