import pytest
import torch
from role_testers import LabelerTester, context_of, score_maps

from mmwsss.models import Background, PeakLabeler
from mmwsss.ops import label_of_peaks
from mmwsss.ops.maps import label_of_scores

pytestmark = pytest.mark.usefixtures('mmseg_scope')


class TestPeakLabeler(LabelerTester):
    type = 'PeakLabeler'
    settings = dict(least=0.1, share=0.5, background_share=0.9)

    @pytest.mark.parametrize('front', [True, False])
    def test_is_the_op(self, member, front):
        maps = score_maps(ids=[(1, 3)])
        maps = Background(score=0.4).refine(maps, context_of()) if front else maps
        labels = member.label(maps, context_of())
        share = 0.9 if front else 0.5
        assert torch.equal(labels.labels[0], label_of_peaks(*maps.of_image(0), 0.1, 0.5, share))
        unsure = labels.labels == 255
        assert unsure.any() and not unsure.all()
        best = label_of_scores(maps.at_image_size, maps.class_ids)
        assert torch.equal(labels.best[unsure], best[unsure])


@pytest.mark.parametrize('name', ['least', 'share', 'background_share'])
def test_settings_out_of_range(name):
    with pytest.raises(ValueError, match=rf'{name} of PeakLabeler must be in \[0, 1\], got 1.5'):
        PeakLabeler(**{name: 1.5})
