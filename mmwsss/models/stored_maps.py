import os

from mmengine.model import BaseModel
from mmseg.structures import SegDataSample
from torch import Tensor

from mmwsss.fileio import read_affinity
from mmwsss.registry import MODELS
from mmwsss.structures import StencilAffinity


@MODELS.register_module()
class StoredMaps(BaseModel):
    """Stands in for a network: hands the seeds of the data set, and stored affinities, to the label chain of a stage.

    Args:
        affinity_dir (str, optional): Folder of ``<image_id>.npz`` that an affinity stage stored. Defaults to None.
        data_preprocessor (dict, optional): Config of a data preprocessor. Defaults to mmengine's plain one.
    """

    def __init__(self, affinity_dir: str | None = None, data_preprocessor: dict | None = None) -> None:
        super().__init__(data_preprocessor)
        self.affinity_dir = affinity_dir

    def forward(
        self, inputs: Tensor | list[Tensor], data_samples: list[SegDataSample] | None = None, mode: str = 'tensor'
    ) -> list[SegDataSample]:
        """Adds ``affinity`` to the samples, which hold their ``seeds`` already."""
        samples = data_samples or []
        if self.affinity_dir is not None:
            for sample in samples:
                path = os.path.join(self.affinity_dir, f'{sample.image_id}.npz')
                sample.set_field(StencilAffinity.of_file(read_affinity(path)), 'affinity')
        return samples
