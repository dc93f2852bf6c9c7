# As the successors of AffinityNet train it on their pseudo masks, for 30,000 iterations (segmentor_iters=30000).
_base_ = [
    '{{$MMWSSS_SETTINGS:../voc12/settings.py}}',
    '../../_base_/models/deeplabv2_resnet101.py',
    '../../_base_/schedules/psa_segmentor.py',
]
pad_val = (103.53, 116.28, 123.675)
model = dict(
    backbone=dict(init_cfg=dict(type='Pretrained', checkpoint={{_base_.segmentor_weights}}, prefix='backbone.'))
)
optim_wrapper = dict(
    optimizer=dict(lr=2.5e-4),
    paramwise_cfg=dict(
        custom_keys={
            f'decode_head.conv_seg.branches.{branch}.bias': dict(lr_mult=20, decay_mult=0) for branch in range(4)
        }
    ),
)
