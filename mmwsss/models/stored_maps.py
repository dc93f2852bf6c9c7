import os

import torch
from mmengine.model import BaseModel
from mmseg.structures import SegDataSample
from torch import Tensor

from mmwsss.fileio import read_affinity, read_features
from mmwsss.registry import MODELS
from mmwsss.structures import affinity_of_file


@MODELS.register_module()
class StoredMaps(BaseModel):
    """Stands in for a network: hands seeds of the data set, stored affinities and features to the chains of a stage.

    Args:
        affinity_dir (str, optional): Folder of ``<image_id>.npz`` that an affinity stage stored. Defaults to None.
        feature_dir (str, optional): The same of features. Defaults to None.
        data_preprocessor (dict, optional): Config of a data preprocessor. Defaults to mmengine's plain one.
    """

    def __init__(
        self,
        affinity_dir: str | None = None,
        feature_dir: str | None = None,
        data_preprocessor: dict | None = None,
    ) -> None:
        super().__init__(data_preprocessor)
        self.affinity_dir = affinity_dir
        self.feature_dir = feature_dir

    def forward(
        self, inputs: Tensor | list[Tensor], data_samples: list[SegDataSample] | None = None, mode: str = 'tensor'
    ) -> list[SegDataSample]:
        """Adds ``affinity`` and ``features`` to the samples, which hold their ``seeds`` already."""
        samples = data_samples or []
        for sample in samples:
            file = f'{sample.image_id}.npz'
            if self.affinity_dir is not None:
                affinity = read_affinity(os.path.join(self.affinity_dir, file))
                sample.set_field(affinity_of_file(affinity), 'affinity')
            if self.feature_dir is not None:
                features = read_features(os.path.join(self.feature_dir, file))
                sample.set_field(torch.from_numpy(features), 'features')
        return samples
