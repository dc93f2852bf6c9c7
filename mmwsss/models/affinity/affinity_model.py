from abc import abstractmethod

from mmseg.structures import SegDataSample
from torch import Tensor

from mmwsss.models.complete_weights import CompleteWeights
from mmwsss.structures import StencilAffinity


class AffinityModel(CompleteWeights):
    """Role: says which parts of an image belong together, without saying what they are.

    A method writes :meth:`loss` and :meth:`affinity`. A test adds the affinities to the samples; what they do to seeds
    is up to the label chain of the stage.

    Arguments are those of mmengine's ``BaseModel``: ``data_preprocessor``, the config of a ``SegDataPreProcessor``, and
    ``init_cfg``.
    """

    @abstractmethod
    def loss(self, inputs: Tensor, data_samples: list[SegDataSample]) -> dict[str, Tensor]:
        """Losses by name, of images (B, 3, H, W) and samples with ``gt_sem_seg``."""

    @abstractmethod
    def affinity(self, inputs: Tensor, data_samples: list[SegDataSample] | None = None) -> StencilAffinity:
        """Affinities of images (B, 3, H, W); with samples, of the part that is no padding."""

    def forward(
        self, inputs: Tensor, data_samples: list[SegDataSample] | None = None, mode: str = 'tensor'
    ) -> dict[str, Tensor] | list[SegDataSample] | Tensor:
        """Runs one of the verbs.

        Args:
            inputs (Tensor): Normalized images (B, 3, H, W).
            data_samples (list[SegDataSample], optional): With ``gt_sem_seg`` (affinity labels) where ``mode`` is
                ``'loss'``.
            mode (str): ``'loss'``, ``'predict'`` or ``'tensor'``.

        Returns:
            dict | list[SegDataSample] | Tensor: Losses; the samples of :meth:`predict`; or affinities (B, P, h, w).
        """
        if mode == 'loss':
            return self.loss(inputs, data_samples or [])
        if mode == 'predict':
            return self.predict(inputs, data_samples or [])
        if mode == 'tensor':
            return self.affinity(inputs).field
        raise ValueError(f"mode must be 'loss', 'predict' or 'tensor', got {mode!r}")

    def predict(self, inputs: Tensor, data_samples: list[SegDataSample]) -> list[SegDataSample]:
        """Adds ``affinity`` (:class:`StencilAffinity` of one image) to the samples."""
        affinity = self.affinity(inputs, data_samples)
        for index, sample in enumerate(data_samples):
            sample.set_field(affinity.of_image(index), 'affinity')
        return data_samples
