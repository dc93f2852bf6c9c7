# IRNet on a frozen EfficientNet-Lite1, six classes of PASCAL VOC 2012, in the place of AffinityNet: the same labels,
# maps, grid and schedule.
_base_ = '../../../fast/voc12/efficientnet_lite1_six_classes/affinity_net.py'
work_dir = 'work_dirs/irnet/voc12/efficientnet_lite1_six_classes/affinity'
model = dict(
    type='mmwsss.IRNet',
    head=dict(_delete_=True, type='mmwsss.IRNetHead', stride=8, training_radius=5),
)
optim_wrapper = dict(
    optimizer=dict(lr=0.05),
    paramwise_cfg=dict(custom_keys={'head.displacement': dict(lr_mult=10)}),
)
