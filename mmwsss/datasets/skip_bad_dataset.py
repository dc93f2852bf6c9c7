import logging
from typing import Any, NamedTuple

import numpy as np
from mmengine.logging import print_log
from torch.utils.data import Dataset

from mmwsss.fileio import DataError
from mmwsss.registry import DATASETS

MAX_REPLACEMENTS = 100


class Skipped(NamedTuple):
    """An image that was left out.

    Attributes:
        image_id (str): Its id, or its path if it has no id.
        reason (str): The error, which names the file.
    """

    image_id: str
    reason: str


@DATASETS.register_module()
class SkipBadDataset(Dataset):
    """Any data set, without the samples that raise a :class:`DataError`.

    In training, another sample, picked at random, takes the place of a bad one, and a warning names the file. In a
    test, the sample is a :class:`Skipped`, for the collate function and the loop of
    :class:`mmwsss.engine.SkipBadTestLoop`.

    Args:
        dataset (dict | Dataset): What is wrapped.
        test_mode (bool): Whether this is a test. Defaults to False.
    """

    def __init__(self, dataset: dict | Dataset, test_mode: bool = False) -> None:
        self.dataset: Any = DATASETS.build(dataset) if isinstance(dataset, dict) else dataset
        self.test_mode = test_mode
        self._warned: set[str] = set()

    @property
    def metainfo(self) -> dict:
        return getattr(self.dataset, 'metainfo', {})

    def full_init(self) -> None:
        if hasattr(self.dataset, 'full_init'):
            self.dataset.full_init()

    def __len__(self) -> int:
        return len(self.dataset)

    def __getitem__(self, index: int) -> Any:
        for _ in range(MAX_REPLACEMENTS):
            try:
                return self.dataset[index]
            except DataError as error:
                skipped = Skipped(self._image_id(index), str(error))
            if self.test_mode:
                return skipped
            if skipped.image_id not in self._warned:
                self._warned.add(skipped.image_id)
                print_log(f'Training without {skipped.reason}', logger='current', level=logging.WARNING)
            index = int(np.random.randint(len(self.dataset)))
        raise DataError(f'{MAX_REPLACEMENTS} samples in a row cannot be used, the last one: {skipped.reason}')

    def get_cat_ids(self, index: int) -> list[int]:
        """Classes of a sample, for samplers that balance them; none of a file that cannot be read."""
        try:
            return self.dataset.get_cat_ids(index)
        except DataError:
            return []

    def _image_id(self, index: int) -> str:
        sample = self.dataset.get_data_info(index) if hasattr(self.dataset, 'get_data_info') else {}
        return str(sample.get('image_id', sample.get('img_path', index)))
