from .affinity_label_metric import AffinityLabelMetric
from .instance_metric import InstanceMetric
from .multi_label_metric import MultiLabelMetric
from .pseudo_mask_metric import PseudoMaskMetric
from .seed_metric import SeedMetric
from .segmentor_metric import SegmentorMetric
from .tag_metric import TagMetric
from .voc_submission_metric import VOCSubmissionMetric

__all__ = [
    'AffinityLabelMetric',
    'InstanceMetric',
    'MultiLabelMetric',
    'PseudoMaskMetric',
    'SeedMetric',
    'SegmentorMetric',
    'TagMetric',
    'VOCSubmissionMetric',
]
