# The published recipe at its own sizes, those of photographs of about 500 pixels as in VOC and COCO.
_base_ = './published.py'
overrides = dict(
    seed_resize=dict(
        type='RandomChoiceResize',
        scales=[(side, side) for side in range(256, 513)],
        keep_ratio=True,
    ),
    seed_crop=(448, 448),
    # AffinityNet trains on photographs of their own size.
    affinity_resize=dict(type='Resize', scale_factor=1.0, keep_ratio=True),
    affinity_crop=(448, 448),
    segmentor_resize=dict(type='RandomResize', scale=(500, 500), ratio_range=(0.5, 1.5), keep_ratio=True),
    segmentor_crop=(448, 448),
    test_resize=dict(type='Resize', scale_factor=1.0, keep_ratio=True),
    tta_resizes=[
        dict(type='Resize', scale_factor=factor, keep_ratio=True) for factor in (0.5, 0.75, 1.0, 1.25, 1.5, 1.75)
    ],
)
