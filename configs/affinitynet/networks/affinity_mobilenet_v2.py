_base_ = [
    '{{$MMWSSS_SETTINGS:../voc12/settings.py}}',
    '../../_base_/models/affinity_mobilenet_v2.py',
    '../../_base_/schedules/sgd_poly.py',
]
pad_val = (127.5, 127.5, 127.5)
# The classifier's backbone knows the classes; frozen, ImageNet's gives a worse walk.
model = dict(backbone=dict(init_cfg=dict(type='Pretrained', checkpoint={{_base_.seed_weights}}, prefix='backbone.')))
optim_wrapper = dict(optimizer=dict(lr=0.08))
