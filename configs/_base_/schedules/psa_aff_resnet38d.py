# The schedule of AffinityNet itself on ResNet-38, as psa_aff_vgg16.py but for the learning rate: of those published,
# 0.01 is the one that gives the figures of ResNet-38.
_base_ = './psa_cls.py'
optim_wrapper = dict(
    optimizer=dict(lr=0.01),
    paramwise_cfg=dict(
        custom_keys={
            '_delete_': True,
            'head.projections': dict(lr_mult=10),
            'head.mix': dict(lr_mult=10),
        },
    ),
)
train_cfg = dict(max_iters=10576)
