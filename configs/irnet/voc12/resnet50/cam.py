# The classifier of IRNet on ResNet-50, PASCAL VOC 2012, and its affinity labels, as the released code makes them.
_base_ = '../../../affinitynet/voc12/resnet50/cam.py'
work_dir = 'work_dirs/irnet/voc12/resnet50/cam'
test_cfg = dict(
    chains=dict(
        affinity_labels=dict(
            labeler=dict(_delete_=True, type='mmwsss.ThresholdLabeler', foreground=0.3, background=0.05)
        ),
        cam_dcrf=dict(refiners=[dict(type='mmwsss.Background', score=0.15), dict(type='mmwsss.DenseCRF')]),
    ),
)
test_evaluator = _base_.test_evaluator
test_evaluator[0].update(background_score=0.15)
