_base_ = [
    '{{$MMWSSS_SETTINGS:./settings.py}}',
    '../../_base_/default_runtime.py',
    '../../_base_/datasets/segmentor.py',
    '../../_base_/models/deeplabv3plus_mobilenet_v2.py',
    '../../_base_/schedules/sgd_poly.py',
]
model = dict(
    backbone=dict(
        frozen_stages=3, init_cfg=dict(type='Pretrained', checkpoint={{_base_.seed_weights}}, prefix='backbone.')
    ),
    decode_head=dict(num_classes={{_base_.num_classes}}),
)
train_dataloader = dict(dataset=dict(dataset={{_base_.train_photos}}, pseudo_mask_dir={{_base_.pseudo_mask_dir}}))
val_dataloader = dict(dataset={{_base_.val_photos}})
test_dataloader = dict(dataset={{_base_.val_photos}})
optim_wrapper = dict(optimizer=dict(lr=0.003), paramwise_cfg=dict(custom_keys={'decode_head': dict(lr_mult=10)}))
train_cfg = dict(max_iters={{_base_.segmentor_iters}})
