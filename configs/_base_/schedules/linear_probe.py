# A linear classifier on features that are computed once: there are no iterations over the images, and no learning rate.
optim_wrapper = dict(
    type='OptimWrapper', optimizer=dict(type='LBFGS', lr=1, max_iter=200, line_search_fn='strong_wolfe')
)
param_scheduler = None
train_cfg = dict(type='mmwsss.LinearProbeLoop', weight_decay=1e-2)
