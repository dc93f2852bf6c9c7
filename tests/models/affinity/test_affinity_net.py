import pytest
import torch
from role_testers import AffinityModelTester, images_of, labeled, train_steps

from mmwsss.ops import pairwise_affinity

pytestmark = pytest.mark.usefixtures('mmseg_scope')


class TestAffinityNet(AffinityModelTester):
    @pytest.fixture
    def config(self, affinity_config):
        return affinity_config

    def test_affinities_are_those_of_the_head(self, build):
        model, sample = build(), labeled()
        inputs = model.data_preprocessor(dict(inputs=list(images_of()), data_samples=[sample]))['inputs']
        with torch.no_grad():
            field = model(inputs)
            expected = pairwise_affinity(model.head(model.backbone(inputs), (5, 7)), 3)
        torch.testing.assert_close(field, expected)
        torch.testing.assert_close(self.affinities_of(model, images_of())[0].field, expected)

    def test_losses_of_the_three_kinds_of_pairs(self, build):
        (losses,) = train_steps(build(), self.batch_of(), 1)
        assert set(losses) == {'loss', 'loss_bg', 'loss_fg', 'loss_neg'} and losses['loss_bg'] > 0
        (losses,) = train_steps(build(), self.batch_of(with_background=False), 1)
        assert losses['loss_bg'] == 0

    @pytest.mark.parametrize('freeze', [False, True])
    def test_frozen_backbone_does_not_change(self, build, freeze):
        model = build(freeze_backbone=freeze)
        before = {name: value.clone() for name, value in model.backbone.state_dict().items()}
        losses = train_steps(model, self.batch_of(), lr=0.2)
        assert losses[-1]['loss'] < 0.95 * losses[0]['loss']
        changed = [name for name, value in model.backbone.state_dict().items() if not torch.equal(value, before[name])]
        assert bool(changed) != freeze

    def test_frozen_backbone_stays_out_of_the_graph_and_in_eval_mode(self, build):
        model = build(freeze_backbone=True).train()
        assert not model.backbone.training and model.head.training
        assert not any(parameter.requires_grad for parameter in model.backbone.parameters())
        assert not model.extract_feat(images_of().float())[0].requires_grad
        assert build().train().extract_feat(images_of().float())[0].requires_grad
