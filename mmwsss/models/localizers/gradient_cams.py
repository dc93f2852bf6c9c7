"""Localizers whose maps come from the gradients of class scores at any layers."""

from abc import abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from mmseg.structures import SegDataSample
from torch import Tensor, nn

from mmwsss.models.backbones.outputs import as_outputs
from mmwsss.models.module_names import check_module
from mmwsss.ops import gradient_cam
from mmwsss.registry import MODELS
from mmwsss.structures import Localization

from .cam_classifier import CAMClassifier

PEAK_FLOOR = 1e-8


class GradientCAMClassifier(CAMClassifier):
    """A classifier whose classes are localized by gradients, in float32; it trains as a :class:`CAMClassifier` does.

    There is one backward pass for each class of the image with the most classes, of all images of a batch together.
    Of several layers, each map is divided by its peak, they are fused as torch-cam fuses them, and multiplied by the
    peak of the last layer.

    Args:
        layers (sequence[str], optional): Names of modules of the network whose outputs (B, C, h, w) are looked at, such
            as ``'backbone.layer3'``, from the first to the last. Defaults to None: the output that the head takes.
        **kwargs: As of :class:`CAMClassifier`.

    Raises:
        ValueError: If there is no module of a name; in :meth:`localize`, if its output is no map (B, C, h, w), or the
            weights were made under ``torch.inference_mode``.
    """

    needs_grad = True
    fusion_gain: float | None = None

    def __init__(self, *args: Any, layers: Sequence[str] | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.layers = tuple(layers or ())
        for name in self.layers:
            check_module(self, name, f'layers of {type(self).__name__}')

    @staticmethod
    @abstractmethod
    def weigh(activation: Tensor, gradient: Tensor) -> Tensor:
        """The map (B, h, w) of activations and gradients (B, C, h, w)."""

    def localize(self, inputs: Tensor, data_samples: list[SegDataSample]) -> Localization:
        if any(parameter.is_inference() for parameter in self.parameters()):
            raise ValueError(
                f'{type(self).__name__} computes gradients, which weights that were made under torch.inference_mode '
                'have none of: build the model and load its checkpoint outside of it'
            )
        # Where the caller is in inference mode, gradients need a copy of the images from outside of it.
        with (
            torch.inference_mode(False),
            torch.enable_grad(),
            torch.autocast(inputs.device.type, enabled=False),
            self._watched() as activations,
        ):
            inputs = inputs.clone() if inputs.is_inference() else inputs
            feats = as_outputs(self.backbone(inputs.float()))
            if not self.layers:
                index = self.head.in_index
                feats = list(feats)
                activations.append(_with_grad(feats[index]))
                feats[index] = activations[0]
            logits = self.head(feats)
            maps = self._maps(logits, activations, self._present(logits, data_samples))
        return Localization(maps, logits.detach().sigmoid(), self.features_of(feats))

    def _present(self, logits: Tensor, data_samples: list[SegDataSample]) -> Tensor:
        """Which labels to localize, bool (B, num_classes)."""
        if self.test_cfg.get('gate', True) and all('gt_label' in sample for sample in data_samples):
            return torch.stack([sample.gt_label.score for sample in data_samples]).to(logits.device) > 0
        return logits.sigmoid() > self.test_cfg.get('gate_threshold', 0.5)

    def _maps(self, logits: Tensor, activations: list[Tensor], present: Tensor) -> Tensor:
        """Class maps (B, num_classes, h, w) of the labels that are present; of the others, zeros."""
        size = max(one.shape[2] for one in activations), max(one.shape[3] for one in activations)
        maps = logits.new_zeros(*logits.shape, *size)
        rounds = int(present.sum(1).max()) if present.numel() else 0
        # The present labels of each image first, so that a round has at most one of each image.
        order = present.float().argsort(dim=1, descending=True, stable=True)
        rows = torch.arange(len(logits), device=logits.device)
        for number in range(rounds):
            chosen, kept = order[:, number], present[rows, order[:, number]]
            # In eval mode images do not mix, so that the gradient of a sum is that of each.
            total = logits[rows, chosen][kept].sum()
            gradients = torch.autograd.grad(total, activations, retain_graph=number + 1 < rounds)
            layers = [self.weigh(one.detach(), gradient) for one, gradient in zip(activations, gradients, strict=True)]
            maps[rows[kept], chosen[kept]] = self._fuse(layers, size)[kept]
        return maps

    def _fuse(self, maps: list[Tensor], size: tuple[int, int]) -> Tensor:
        if len(maps) == 1:
            return maps[0]
        peaks = [one.amax((1, 2), keepdim=True).clamp(min=PEAK_FLOOR) for one in maps]
        scaled = [one / peak for one, peak in zip(maps, peaks, strict=True)]
        return gradient_cam.fuse_layers(scaled, size, self.fusion_gain) * peaks[-1]

    @contextmanager
    def _watched(self) -> Iterator[list[Tensor]]:
        """Collects the outputs of the layers while the network runs."""
        activations: list[Tensor] = []

        def keep(module: nn.Module, _: Any, output: Any) -> Tensor:
            if not isinstance(output, Tensor) or output.ndim != 4:
                raise ValueError(
                    f'layers of {type(self).__name__}: expected a map (B, C, h, w) from {type(module).__name__}, got '
                    f'{tuple(output.shape) if isinstance(output, Tensor) else type(output).__name__}'
                )
            activations.append(_with_grad(output))
            return activations[-1]

        handles = [self.get_submodule(name).register_forward_hook(keep) for name in self.layers]
        try:
            yield activations
        finally:
            for handle in handles:
                handle.remove()


def _with_grad(activation: Tensor) -> Tensor:
    """The activation as a place where gradients arrive; nothing before it is differentiated where nothing need be."""
    return activation if activation.requires_grad else activation.detach().requires_grad_()


@MODELS.register_module()
class GradCAM(GradientCAMClassifier):
    """Grad-CAM: a channel weighs as much as its mean gradient. Source: Selvaraju et al., ICCV 2017."""

    weigh = staticmethod(gradient_cam.grad_cam)


@MODELS.register_module()
class GradCAMPlusPlus(GradientCAMClassifier):
    """Grad-CAM++: positive gradients count, each with a weight of its cell. Source: Chattopadhay et al., WACV 2018."""

    weigh = staticmethod(gradient_cam.grad_cam_plus_plus)


@MODELS.register_module()
class XGradCAM(GradientCAMClassifier):
    """XGrad-CAM: gradients are averaged with the activations as weights. Source: Fu et al., BMVC 2020."""

    weigh = staticmethod(gradient_cam.xgrad_cam)


@MODELS.register_module()
class LayerCAM(GradientCAMClassifier):
    """LayerCAM: every cell has a weight of its own, so that early layers localize too.

    Source: Jiang et al., IEEE TIP 2021.
    """

    weigh = staticmethod(gradient_cam.layer_cam)
    fusion_gain = gradient_cam.LAYER_CAM_GAIN
