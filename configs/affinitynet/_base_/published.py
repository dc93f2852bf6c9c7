# AffinityNet's published recipe, in place of the small one of settings.py. Sizes of photographs and numbers of
# iterations are those of the data set.
overrides = dict(
    num_workers=4,
    affinity_batch_size=8,
    segmentor_batch_size=10,
    color_jitter=dict(type='PhotoMetricDistortion', contrast_range=(0.7, 1.3), saturation_range=(0.7, 1.3)),
    cam_scales=(1.0, 0.5, 1.5, 2.0),
    cam_scale_weights=None,
    peak_quantile=1.0,
    # Background of the CAMs, and of the affinity labels: exponents of a strong and a weak background.
    background_score=0.2,
    alpha_low=4,
    alpha_high=32,
    beta=8,
    alpha=16,
    num_steps=256,
    # The dense CRF after the walk, which the paper has and the released code has not.
    crf_num_iters=10,
    crf_bilateral=(80, 13, 10),
    margin=0.0,
    segmentor_tta=True,
    segmentor_tta_model=dict(type='DenseCRFTTAModel', dense_crf=dict(type='DenseCRF')),
)
