import torch
from torch import nn

from mmwsss.models import CAMHead


def test_bias_is_part_of_scores_and_maps():
    torch.manual_seed(0)
    head = CAMHead(in_channels=4, num_classes=3, dropout_ratio=0.0, bias=True).eval()
    nn.init.uniform_(head.classifier.bias, 1, 2)
    feats = torch.randn(2, 4, 5, 6)
    raw = torch.einsum('bdhw,kd->bkhw', feats, head.classifier.weight[:, :, 0, 0])
    raw = raw + head.classifier.bias[:, None, None]
    torch.testing.assert_close(head([feats]), raw.mean((2, 3)))
    torch.testing.assert_close(head.localize([feats])[0], raw.relu())
    torch.testing.assert_close(head.pooled([feats]), feats.mean((2, 3)))


def test_no_bias_by_default():
    assert CAMHead(in_channels=4, num_classes=3).classifier.bias is None
