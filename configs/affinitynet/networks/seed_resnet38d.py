_base_ = [
    '{{$MMWSSS_SETTINGS:../voc12/settings.py}}',
    '../../_base_/models/cam_resnet38d.py',
    '../../_base_/schedules/psa_cls.py',
]
pad_val = (103.53, 116.28, 123.675)
model = dict(backbone=dict(init_cfg=dict(type='Pretrained', checkpoint={{_base_.weights}}, prefix='backbone.')))
