from collections import Counter
from collections.abc import Iterator

import torch
from mmengine.dataset import BaseDataset, InfiniteSampler
from torch import Tensor

from mmwsss.fileio import map_parallel
from mmwsss.registry import DATA_SAMPLERS

READERS = 4


@DATA_SAMPLERS.register_module()
class RepeatFactorSampler(InfiniteSampler):
    """Shows images with a rare class more often, so that a network learns that class too.

    A class in a share f of the images has the repeat factor max(1, sqrt(oversample_thr / f)). An image has the largest
    factor of its classes. A pass over the data shows each image that many times; each pass draws the fraction anew.

    Args:
        dataset (BaseDataset): Its ``get_cat_ids(index)`` gives the classes of an image.
        oversample_thr (float): Share of the images, from 0 to 1, below which a class is rare. Defaults to 0: no class
            is rare, and this is an ``InfiniteSampler``.
        shuffle (bool): As in ``InfiniteSampler``. Defaults to True.
        seed (int, optional): As in ``InfiniteSampler``. Defaults to None.

    Raises:
        ValueError: If ``oversample_thr`` is no share.

    Source: Gupta et al., LVIS, CVPR 2019, section 5; the drawn fraction is that of Detectron2.
    """

    def __init__(
        self, dataset: BaseDataset, oversample_thr: float = 0, shuffle: bool = True, seed: int | None = None
    ) -> None:
        super().__init__(dataset, shuffle, seed)
        if not 0 <= oversample_thr <= 1:
            raise ValueError(f'oversample_thr must be a share from 0 to 1, got {oversample_thr}')
        self.repeat_factors = repeat_factors(dataset, oversample_thr) if oversample_thr else torch.ones(self.size)

    def _infinite_indices(self) -> Iterator[int]:
        generator = torch.Generator().manual_seed(self.seed)
        whole, fraction = self.repeat_factors.long(), self.repeat_factors.frac()
        while True:
            repeats = whole
            if fraction.any():
                repeats = whole + (torch.rand(self.size, generator=generator) < fraction)
            indices = torch.arange(self.size).repeat_interleave(repeats)
            if self.shuffle:
                indices = indices[torch.randperm(len(indices), generator=generator)]
            yield from indices.tolist()


def repeat_factors(dataset: BaseDataset, oversample_thr: float) -> Tensor:
    """How often a pass should show each image, at least 1; see :class:`RepeatFactorSampler`."""
    classes = list(map_parallel(dataset.get_cat_ids, range(len(dataset)), READERS))
    counts = Counter(label for present in classes for label in present)
    factors = {label: max(1.0, (oversample_thr * len(classes) / count) ** 0.5) for label, count in counts.items()}
    return torch.tensor([max((factors[label] for label in present), default=1.0) for present in classes])
