# Pseudo masks from the class maps of the classifier on ResNet-50 and PAR alone, COCO.
# As published for COCO, scores spread 15 times.
_base_ = '../../../affinitynet/coco/resnet50/cam.py'
work_dir = 'work_dirs/par/coco/resnet50/cam'
test_cfg = dict(
    chains=dict(
        pseudo_masks=dict(
            refiners=[dict(type='mmwsss.Background', score=0.2), dict(type='mmwsss.PAR', num_iters=15)],
            labeler=dict(type='mmwsss.ArgmaxLabeler'),
        ),
    ),
)
test_evaluator = _base_.test_evaluator + [
    dict(type='mmwsss.PseudoMaskMetric', chain='pseudo_masks', prefix='cam_par', output_dir='pseudo_masks')
]
