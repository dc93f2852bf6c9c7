# Pseudo masks from the class maps of the classifier on ResNet-50 and PAR alone, PASCAL VOC 2012.
_base_ = '../../../affinitynet/voc12/resnet50/cam.py'
work_dir = 'work_dirs/par/voc12/resnet50/cam'
test_cfg = dict(
    chains=dict(
        pseudo_masks=dict(
            refiners=[dict(type='mmwsss.Background', score=0.2), dict(type='mmwsss.PAR')],
            labeler=dict(type='mmwsss.ArgmaxLabeler'),
        ),
    ),
)
test_evaluator = _base_.test_evaluator + [
    dict(type='mmwsss.PseudoMaskMetric', chain='pseudo_masks', prefix='cam_par', output_dir='pseudo_masks')
]
