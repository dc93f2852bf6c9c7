import logging

import pytest

from mmwsss.engine.log_filter import LogFilter

NOT_OURS = [
    '"FileClient" will be deprecated in future. Please use io functions in https://somewhere',
    '"HardDiskBackend" is the alias of "LocalBackend" and the former will be deprecated in future.',
    'The prefix is not set in metric class SegmentorMetric.',
    'paramwise_options -- decode_head.conv_seg.weight:lr=0.03',
    'backbone._bn0.bias is skipped since its requires_grad=False',
]
OURS = [
    'Iter(train) [ 20/500]  lr: 1e-3',
    'Training without images/a.jpg: expected an image',
    'skipped since last week',
]


@pytest.mark.parametrize('line', NOT_OURS + OURS)
def test_only_what_a_user_can_act_on_is_logged(line):
    logged = []
    logger = logging.Logger('test')
    logger.addFilter(LogFilter())
    handler = logging.Handler()
    handler.emit = lambda record: logged.append(record.getMessage())
    logger.addHandler(handler)
    logger.warning('%s', line)
    assert logged == ([line] if line in OURS else [])
