# The schedule of AffinityNet itself on VGG-16: 8 epochs of VOC's 10,582 photographs in batches of 8. psa_cls.py says
# why the momentum is 5e-4 and which learning rates are multiplied.
_base_ = './psa_cls.py'
optim_wrapper = dict(
    paramwise_cfg=dict(
        # The GroupNorms learn as the backbone does.
        custom_keys={
            '_delete_': True,
            'head.projections.0.0': dict(lr_mult=10),
            'head.projections.1.0': dict(lr_mult=10),
            'head.projections.2.0': dict(lr_mult=10),
            'head.projections.0.1.bias': dict(lr_mult=2, decay_mult=0),
            'head.projections.1.1.bias': dict(lr_mult=2, decay_mult=0),
            'head.projections.2.1.bias': dict(lr_mult=2, decay_mult=0),
            'head.mix': dict(lr_mult=10),
        },
    ),
)
train_cfg = dict(max_iters=10576)
