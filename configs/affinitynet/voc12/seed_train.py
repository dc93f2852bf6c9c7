_base_ = [
    '{{$MMWSSS_SETTINGS:./settings.py}}',
    '../../_base_/default_runtime.py',
    '../../_base_/datasets/seed_train.py',
    '../../_base_/models/cam_mobilenet_v2.py',
    '../../_base_/schedules/sgd_poly.py',
]
model = dict(
    backbone=dict(init_cfg=dict(type='Pretrained', checkpoint={{_base_.weights}})),
    head=dict(
        num_labels={{_base_.num_labels}},
        expand=dict(init_cfg=dict(type='Pretrained', checkpoint={{_base_.weights}}, prefix='conv2.')),
    ),
)
train_dataloader = dict(dataset=dict(dataset={{_base_.train_photos}}, image_labels={{_base_.image_labels}}))
val_dataloader = dict(dataset=dict(dataset={{_base_.val_photos}}, image_labels={{_base_.image_labels}}))
optim_wrapper = dict(optimizer=dict(lr=0.004), paramwise_cfg=dict(custom_keys={'head.classifier': dict(lr_mult=10)}))
train_cfg = dict(max_iters={{_base_.seed_iters}})
