# Affinity labels from the refined class maps, for affinity_net.py: the sure pixels of the pseudo masks. Nothing trains.
_base_ = './affinity.py'
work_dir = 'work_dirs/fast/voc12/efficientnet_lite1_six_classes/affinity_labels'
test_cfg = dict(
    chains=dict(
        _delete_=True,
        affinity_labels=dict(
            refiners=_base_.test_cfg.chains.pseudo_masks.refiners,
            labeler=dict(type='mmwsss.ArgmaxLabeler', margin=0.25),
        ),
    ),
)
test_evaluator = [
    dict(type='mmwsss.AffinityLabelMetric', chain='affinity_labels', output_dir='affinity_labels'),
]
