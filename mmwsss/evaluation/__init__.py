"""Metrics of the stages, and what they count."""

import mmwsss.registry  # noqa: F401, I001  # before any import of mmseg.datasets, which it silences

from .metrics import (
    AffinityLabelMetric,
    InstanceMetric,
    MultiLabelMetric,
    PseudoMaskMetric,
    SeedMetric,
    SegmentorMetric,
    TagMetric,
    VOCSubmissionMetric,
)

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
