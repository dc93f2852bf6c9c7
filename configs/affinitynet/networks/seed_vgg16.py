_base_ = [
    '{{$MMWSSS_SETTINGS:../voc12/settings.py}}',
    '../../_base_/models/cam_vgg16.py',
    '../../_base_/schedules/psa_cls.py',
]
pad_val = (104.008, 116.669, 122.675)
model = dict(backbone=dict(init_cfg=dict(type='Pretrained', checkpoint={{_base_.weights}}, prefix='backbone.')))
