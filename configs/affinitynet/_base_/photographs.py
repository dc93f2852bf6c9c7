# The small recipe for photographs that are shown with a long side of about 320 pixels, such as those of VOC and COCO.
_base_ = './settings.py'
# How photographs are fitted and cropped to train the classifier, AffinityNet and the segmentor ...
seed_resize = dict(
    type='RandomChoiceResize',
    scales=[(side, side) for side in range(288, 481, 32)],
    keep_ratio=True,
    resize_type='Resize',
)
seed_crop = (320, 320)
affinity_resize = dict(
    type='RandomChoiceResize',
    scales=[(side, side) for side in range(256, 385, 32)],
    keep_ratio=True,
    resize_type='Resize',
)
affinity_crop = (256, 256)
# A wider range for the segmentor, which has to find classes that nobody names.
segmentor_resize = dict(
    type='RandomChoiceResize',
    scales=[(side, side) for side in range(192, 513, 32)],
    keep_ratio=True,
    resize_type='Resize',
)
segmentor_crop = affinity_crop
# ... and for all inference.
test_resize = dict(type='Resize', scale=(320, 320), keep_ratio=True)
tta_resizes = [dict(type='Resize', scale=(side, side), keep_ratio=True) for side in (256, 320, 448)]
