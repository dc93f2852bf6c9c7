_base_ = [
    '{{$MMWSSS_SETTINGS:../voc12/settings.py}}',
    '../../_base_/models/affinity_mit_b1.py',
    '../../_base_/schedules/adamw_poly.py',
]
pad_val = (103.53, 116.28, 123.675)
model = dict(backbone=dict(init_cfg=dict(type='Pretrained', checkpoint={{_base_.weights}})))
