_base_ = [
    '{{$MMWSSS_SETTINGS:./settings.py}}',
    '../../_base_/default_runtime.py',
    '../../_base_/datasets/affinity_train.py',
    '../../_base_/models/affinity_mobilenet_v2.py',
    '../../_base_/schedules/sgd_poly.py',
]
# The classifier's backbone knows the classes; frozen, ImageNet's gives a worse walk.
model = dict(backbone=dict(init_cfg=dict(type='Pretrained', checkpoint={{_base_.seed_weights}}, prefix='backbone.')))
train_dataloader = dict(dataset=dict(dataset={{_base_.train_photos}}, affinity_label_dir={{_base_.affinity_label_dir}}))
optim_wrapper = dict(optimizer=dict(lr=0.08))
train_cfg = dict(max_iters={{_base_.affinity_iters}})
