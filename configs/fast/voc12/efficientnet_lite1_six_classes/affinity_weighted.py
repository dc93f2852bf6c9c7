# The same masks, with a weight for each pixel: by how much its best class leads, and how many chains agree with it.
_base_ = './affinity.py'
work_dir = 'work_dirs/fast/voc12/efficientnet_lite1_six_classes/affinity_weighted'
test_cfg = dict(
    chains=dict(
        pseudo_masks=dict(labeler=dict(full_margin=0.1), witnesses=[_base_.test_cfg.chains.cosine], agreement='weight')
    )
)
test_evaluator = _base_.test_evaluator
test_evaluator[1].update(weight_dir='pixel_weights')
