# SEAM on EfficientNet-Lite1, six classes of PASCAL VOC 2012, in the place of AffinityNet's classifier: the same images,
# head and schedule.
_base_ = '../../../affinitynet/voc12/efficientnet_lite1_six_classes/cam.py'
work_dir = 'work_dirs/seam/voc12/efficientnet_lite1_six_classes/cam'
model = dict(
    type='mmwsss.SEAM',
    backbone=dict(out_indices=(3, 4, 7)),
    correlation=dict(in_index=(0, 1), channels=(64, 128)),
    test_cfg=dict(peak_quantile=1.0),
)
optim_wrapper = dict(
    paramwise_cfg=dict(custom_keys={'head.classifier': dict(lr_mult=10), 'correlation': dict(lr_mult=10)})
)
