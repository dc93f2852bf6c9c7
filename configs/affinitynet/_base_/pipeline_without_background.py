# For data sets whose classes cover the image and whose image-level labels are read off the masks.
_base_ = './pipeline.py'
# There is no background score, so none to pick: no cam_best.
results = dict(
    _delete_=True,
    cam=('seed_infer', 'cam/mIoU'),
    cam_dcrf=('seed_infer', 'cam_dcrf/mIoU'),
    random_walk=('affinity_infer', 'random_walk/mIoU'),
    random_walk_dcrf=('affinity_infer', 'random_walk_dcrf/mIoU'),
    segmentor=('segmentor', 'mIoU'),
)
used_ground_truth = (
    'Image-level labels are read off the masks of the training photographs; they train the classifier and gate the '
    'activation maps. Other than that, masks train nothing: they measure every mIoU here. The segmentor is measured on '
    'held-out photographs and sees no image-level labels there.'
)
