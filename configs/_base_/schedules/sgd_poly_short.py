# As sgd_poly.py, for runs of any length: the warm-up and the poly schedule multiply.
_base_ = './sgd_poly.py'
param_scheduler = [
    dict(type='LinearLR', start_factor=0.1, by_epoch=False, begin=0, end=30),
    dict(type='PolyLR', eta_min=0.0, power=0.9, by_epoch=False),
]
