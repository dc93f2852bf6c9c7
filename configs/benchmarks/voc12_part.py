# The part of PASCAL VOC 2012 that the lists six_*.txt and trainaug.txt, val2007.txt describe: six classes and all 20.
# python tools/benchmark.py configs/benchmarks/voc12_part.py --data-root /path/to/VOC2012
six_classes = 'voc12_six_classes'
part = 'voc12_part'
# What masks picked, beside what the results of a run say themselves.
fast_picked = {
    six_classes: 'Masks of one half of the 385 images, by a hash of the id, picked the background scores. Those of all'
    ' 385 picked a linear classifier of pixels in place of one with a hidden layer, and the share of its score that a'
    ' cell keeps.',
    part: 'The settings are those of the six classes, which masks picked.',
}
affinitynet_picked = {
    six_classes: 'Masks of the 385 images picked the scales, the background score, the exponents of the affinity labels'
    ' and the settings of the walk, those of val the learning rate, the sizes and the iterations of the segmentor.',
    part: 'The settings are those of the six classes, which masks picked.',
}
fast_six_classes = dict(
    method='fast', network='efficientnet_lite1', data=six_classes, ground_truth=fast_picked[six_classes]
)
fast_leaves = 'configs/fast/voc12/{network}_six_classes'
masks = ('cam', 'affinity', 'pixels', 'relabel')
two_rounds = (*masks, 'segmentor', 'segmentor_relabel', 'segmentor_round2')
affinity_net = (*masks, 'affinity_labels', 'affinity_net')
grid = [
    dict(fast_six_classes, leaves=fast_leaves, seeds=[0, 1, 2]),
    dict(
        fast_six_classes,
        variant='two rounds',
        leaves=[f'{fast_leaves}/{stage}.py' for stage in two_rounds],
    ),
    dict(
        fast_six_classes,
        variant='AffinityNet on its labels',
        leaves=[f'{fast_leaves}/{stage}.py' for stage in affinity_net],
    ),
    dict(
        method='fast',
        network='efficientnet_lite1',
        data=part,
        leaves='configs/fast/voc12/{network}_part',
        ground_truth=fast_picked[part],
    ),
    dict(
        method='affinitynet',
        network=['efficientnet_lite1', 'mobilenet_v2'],
        data=six_classes,
        leaves='configs/affinitynet/voc12/{network}_six_classes',
        ground_truth=affinitynet_picked[six_classes],
    ),
    dict(
        method='affinitynet',
        network=['efficientnet_lite1', 'mobilenet_v2'],
        data=part,
        leaves='configs/affinitynet/voc12/{network}_part',
        ground_truth=affinitynet_picked[part],
    ),
]
transcam = dict(
    method='TransCAM',
    network='Conformer-S',
    rung='pseudo masks',
    source='masks that its authors (Li et al., 2022) published, made with the image-level labels of all of VOC 2012 '
    'and measured on these images',
)
peers = [
    dict(transcam, data=six_classes, mIoU=84.4, measured_on='ImageSets/Segmentation/six_train.txt', images=385),
    dict(transcam, data=part, mIoU=68.35, measured_on='ImageSets/Segmentation/train.txt', images=663),
]
