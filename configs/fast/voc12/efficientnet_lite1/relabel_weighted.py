# The same masks, with a weight for each pixel: by how much its best class leads, and whether refiners changed it.
_base_ = './relabel.py'
work_dir = 'work_dirs/fast/voc12/efficientnet_lite1/relabel_weighted'
test_cfg = dict(chains=dict(pseudo_masks=dict(labeler=dict(full_margin=0.5), witnesses=[0], agreement='weight')))
test_evaluator = _base_.test_evaluator
test_evaluator[-1].update(weight_dir='pixel_weights')
