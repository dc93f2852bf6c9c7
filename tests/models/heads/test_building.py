import pytest

from mmwsss.models.backbones.outputs import build_backbone
from mmwsss.models.heads.building import build_head

pytestmark = pytest.mark.usefixtures('mmseg_scope')

BACKBONE = dict(type='MobileNetV2', widen_factor=0.25)


@pytest.mark.parametrize('settings', [dict(), dict(in_channels=None)])
def test_head_takes_the_channels_of_the_backbone(settings):
    head = build_head(dict(type='mmwsss.CAMHead', num_classes=3, **settings), build_backbone(BACKBONE))
    assert head.in_channels == 80
    assert build_head(dict(type='mmwsss.AffinityHead', radius=3), build_backbone(BACKBONE)).in_channels == (8, 24, 80)


def test_channels_that_are_given_are_kept_and_the_backbone_is_not_run():
    assert build_head(dict(type='mmwsss.CAMHead', num_classes=3, in_channels=7), None).in_channels == 7


def test_head_of_another_package_is_built_as_it_is():
    head = dict(type='FCNHead', in_channels=4, channels=4, num_convs=0, concat_input=False, num_classes=3)
    assert build_head(head, None).in_channels == 4
