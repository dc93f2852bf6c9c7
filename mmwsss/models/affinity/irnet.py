from collections.abc import Sequence

from mmseg.structures import SegDataSample
from torch import Tensor, nn

from mmwsss.models.backbones.outputs import as_outputs
from mmwsss.models.heads.building import build_head
from mmwsss.models.module_names import check_module
from mmwsss.registry import MODELS
from mmwsss.structures import BoundaryAffinity

from .backbone_affinity import BackboneAffinity


class _Stem(nn.Module):
    """A backbone that gives the output of one of its modules before its own outputs."""

    def __init__(self, backbone: nn.Module, name: str) -> None:
        super().__init__()
        self.backbone = backbone
        self.name = name

    def forward(self, inputs: Tensor) -> tuple[Tensor, ...]:
        seen: list[Tensor] = []
        module = self.backbone.get_submodule(self.name)
        handle = module.register_forward_hook(lambda _module, _inputs, output: seen.append(output))
        try:
            outputs = as_outputs(self.backbone(inputs))
        finally:
            handle.remove()
        return (seen[0], *outputs)


@MODELS.register_module()
class IRNet(BackboneAffinity):
    """Learns class boundaries, and lets two cells belong together as far as no boundary lies between them.

    Beside boundaries it learns displacements to the centers of objects, by which :class:`InstanceWalk` tells objects
    apart. They share no weights with the boundaries and do not change the affinities.

    Args:
        backbone (dict): Config of any mmseg backbone with the taps of the head in its ``out_indices``.
        head (dict): Config of an :class:`IRNetHead`. Without ``in_channels``, they are those of the backbone's outputs.
        data_preprocessor (dict): Config of a ``SegDataPreProcessor``.
        stem (str, optional): Name of a module of the backbone whose output is the first tap, before the backbone's own
            outputs: ``'maxpool'`` of a ResNet, as in the paper. Defaults to None.
        flip (bool): Average the logits of an image and of its mirror image. Defaults to True.
        freeze_backbone (bool): Keep the backbone as it was initialized and train the head alone. Defaults to True.
        instances (bool): Give displacements beside the affinities, without their mean over the training, for
            :class:`InstanceWalk`. Defaults to False.
        init_cfg (dict, optional): Defaults to None.

    Raises:
        ValueError: If the package of the backbone is not installed, its outputs cannot be found by running it once, or
            it has no module ``stem``; the message says what to set.

    Source: Ahn, Cho & Kwak, CVPR 2019, sections 4 and 5.
    """

    def __init__(
        self,
        backbone: dict,
        head: dict,
        data_preprocessor: dict | None = None,
        stem: str | None = None,
        flip: bool = True,
        freeze_backbone: bool = True,
        instances: bool = False,
        init_cfg: dict | None = None,
    ) -> None:
        super().__init__(backbone, data_preprocessor, freeze_backbone, init_cfg)
        if stem is not None:
            check_module(self.backbone, stem, 'stem of IRNet, a module of the backbone')
        self.stem, self.flip, self.instances = stem, flip, instances
        self.head = build_head(head, self._tapped_backbone())

    def taps(self, inputs: Tensor) -> Sequence[Tensor]:
        """The output of the stem, where there is one, then those of the backbone."""
        return as_outputs(self._tapped_backbone()(inputs))

    def _tapped_backbone(self) -> nn.Module:
        return self.backbone if self.stem is None else _Stem(self.backbone, self.stem)

    def displacements(self, inputs: Tensor) -> Tensor:
        """Displacements (B, 2, h, w), (dy, dx) in cells, as they are trained: with an arbitrary mean."""
        return self.head.displacements(self.extract_feat(inputs), self._grid(inputs.shape[2:])).float()

    def boundaries(self, inputs: Tensor, covered_size: tuple[int, int]) -> Tensor:
        """Probabilities (B, 1, h, w) of a class boundary in the cells of images.

        Args:
            inputs (Tensor): Normalized images (B, 3, H, W).
            covered_size (tuple[int, int]): Height and width in pixels of the part that is no padding. The mirror image
                is padded on the same side, so that its cells are shifted by the pixels that its last column lacks.
        """
        return self._boundaries(inputs, self.extract_feat(inputs), covered_size)

    def _boundaries(self, inputs: Tensor, feats: Sequence[Tensor], covered_size: tuple[int, int]) -> Tensor:
        logits = self._boundary_logits(feats, inputs, covered_size)
        if self.flip:
            mirrored = inputs.clone()
            mirrored[..., : covered_size[1]] = inputs[..., : covered_size[1]].flip(3)
            logits = (logits + self._boundary_logits(self.extract_feat(mirrored), inputs, covered_size).flip(3)) / 2
        return logits.sigmoid()

    def _boundary_logits(self, feats: Sequence[Tensor], inputs: Tensor, covered_size: tuple[int, int]) -> Tensor:
        rows, columns = self._grid(covered_size)
        return self.head.boundary_logits(feats, self._grid(inputs.shape[2:]))[:, :, :rows, :columns].float()

    def affinity(self, inputs: Tensor, data_samples: list[SegDataSample] | None = None) -> BoundaryAffinity:
        # Images of a batch are of one size; cells beyond it are padding.
        height, width = data_samples[0].img_shape[:2] if data_samples else inputs.shape[2:]
        covered = int(height), int(width)
        feats, displacement = self.extract_feat(inputs), None
        edge = self._boundaries(inputs, feats, covered)
        if self.instances:
            rows, columns = self._grid(covered)
            moved = self.head.displacements(feats, self._grid(inputs.shape[2:])).float()
            displacement = moved[:, :, :rows, :columns] - self.head.displacement_mean.view(1, 2, 1, 1)
        return BoundaryAffinity(self.head.affinity(edge), covered, self.head.stride, edge, displacement)
