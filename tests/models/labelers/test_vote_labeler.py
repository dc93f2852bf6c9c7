import numpy as np
import pytest
import torch
from role_testers import LabelerTester, context_of, score_maps

from mmwsss.models import VoteLabeler
from mmwsss.ops import dense_crf, weight_of_votes

pytestmark = pytest.mark.usefixtures('mmseg_scope')

CRF = dict(num_iters=1, gaussian=(2, 2), bilateral=(30, 9, 6))


class TestVoteLabeler(LabelerTester):
    type = 'VoteLabeler'
    settings = dict(powers=(0.3, 3.0), **CRF)

    def test_classes_vote_after_dense_crfs(self, member):
        maps, context = score_maps(ids=[(0, 2, 3)]), context_of()
        scores, image = maps.at_image_size[0], context.images[0]
        votes = []
        for index in scores.argmax(0).unique():
            for power in (0.3, 3.0):
                changed = scores.numpy().copy()
                changed[index] **= power
                votes.append(dense_crf(image, changed, **CRF).argmax(0) == index.item())
        votes = torch.from_numpy(np.stack(votes)).view(-1, 2, *scores.shape[1:])
        expected = weight_of_votes(votes)
        labels = VoteLabeler((0.3, 3.0), threshold=None, **CRF).label(maps, context)
        torch.testing.assert_close(labels.weights[0], expected.float())
        assert torch.equal(labels.labels, labels.best) and len(expected.unique()) > 1
        low = torch.where(expected <= 0.05, 0.05, 1.0)
        torch.testing.assert_close(member.label(maps, context).weights[0], low)

    def test_a_class_alone_is_sure(self, member):
        labels = member.label(score_maps(ids=[(2,)]), context_of())
        assert (labels.weights == 1).all() and (labels.labels == 2).all()


@pytest.mark.parametrize('settings', [dict(powers=()), dict(powers=(0, 1)), dict(threshold=2), dict(low_weight=-1)])
def test_settings_out_of_range(settings):
    (name,) = settings
    with pytest.raises(ValueError, match=f'{name} of VoteLabeler must be'):
        VoteLabeler(**settings)


def test_defaults_are_those_of_the_method():
    labeler = VoteLabeler()
    assert labeler.powers == (0.15, 0.2, 0.25, 4, 5, 6)
    assert (labeler.threshold, labeler.low_weight) == (0.05, 0.05)
