# SEAM on ResNet-38, COCO, with the recipe of VOC.
_base_ = '../../../affinitynet/coco/resnet38d/cam.py'
work_dir = 'work_dirs/seam/coco/resnet38d/cam'
model = dict(type='mmwsss.SEAM', view_scale=0.3, correlation=dict(in_index=(0, 1), channels=(64, 128)))
# Long sides of 448 to 768 pixels.
train_pipeline = [
    dict(type='mmwsss.LoadImageFromFile'),
    dict(type='RandomResize', scale=(768, 768), ratio_range=(448 / 768, 1.0), keep_ratio=True),
    dict(type='RandomFlip', prob=0.5),
    dict(type='PhotoMetricDistortion', contrast_range=(0.7, 1.3), saturation_range=(0.7, 1.3)),
    dict(type='mmwsss.RandomCropOrPad', crop_size=(448, 448), pad_val=(103.53, 116.28, 123.675)),
    dict(type='mmwsss.PackWeakInputs'),
]
train_dataloader = dict(batch_size=8, dataset=dict(pipeline=train_pipeline))
optim_wrapper = dict(optimizer=dict(lr=0.01), paramwise_cfg=dict(custom_keys={'correlation': dict(lr_mult=10)}))
train_cfg = dict(max_iters=82080)  # as many epochs as on VOC: 8 of some 82,000 images in batches of 8
test_cfg = dict(
    chains=dict(
        affinity_labels=dict(labeler=dict(alpha_high=24)),
        cam_dcrf=dict(refiners=[dict(type='mmwsss.Background', score=0.26), dict(type='mmwsss.DenseCRF')]),
    ),
)
test_evaluator = [
    dict(type='mmwsss.SeedMetric', background_score=0.26, output_dir='seeds'),
    dict(type='mmwsss.AffinityLabelMetric', chain='affinity_labels', output_dir='affinity_labels'),
    dict(type='mmwsss.PseudoMaskMetric', chain='cam_dcrf', prefix='cam_dcrf'),
]
