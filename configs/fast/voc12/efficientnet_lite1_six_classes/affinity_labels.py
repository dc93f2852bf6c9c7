# Affinity labels for affinity_net.py, the sure pixels of the masks of relabel.py, from its seeds. Nothing trains.
_base_ = './affinity.py'
work_dir = 'work_dirs/fast/voc12/efficientnet_lite1_six_classes/affinity_labels'
test_dataloader = dict(dataset=dict(seed_dir='work_dirs/fast/voc12/efficientnet_lite1_six_classes/relabel/seeds'))
test_cfg = dict(
    chains=dict(
        _delete_=True,
        affinity_labels=dict(
            refiners=[dict(type='mmwsss.CosineAffinity', power=3, own_share=0.5), dict(type='mmwsss.PAR')],
            labeler=dict(type='mmwsss.ArgmaxLabeler', margin=0.5),
        ),
    ),
)
test_evaluator = [
    dict(type='mmwsss.AffinityLabelMetric', chain='affinity_labels', output_dir='affinity_labels'),
]
