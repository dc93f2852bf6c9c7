"""Metrics of the stages, and what they count."""

from .metrics import (
    AffinityLabelMetric,
    MultiLabelMetric,
    PseudoMaskMetric,
    SeedMetric,
    SegmentorMetric,
    VOCSubmissionMetric,
)

__all__ = [
    'AffinityLabelMetric',
    'MultiLabelMetric',
    'PseudoMaskMetric',
    'SeedMetric',
    'SegmentorMetric',
    'VOCSubmissionMetric',
]
