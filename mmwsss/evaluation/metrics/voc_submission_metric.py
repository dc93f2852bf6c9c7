import io
import tarfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from mmengine.dist import is_main_process
from mmengine.logging import MMLogger, print_log
from mmseg.datasets import PascalVOCDataset

from mmwsss.fileio import DataError, atomic_write, write_mask
from mmwsss.registry import METRICS

from .streaming_metric import Counts, Made, StreamingMetric

ARCHIVE_FILE = 'results.tgz'


@METRICS.register_module()
class VOCSubmissionMetric(StreamingMetric):
    """Writes the archive that the evaluation server of PASCAL VOC 2012 takes; measures nothing.

    The masks of ``test`` are not public. ``results.tgz`` holds ``results/VOC2012/Segmentation/<competition>/<id>.png``,
    palette PNGs of VOC's class indices at the size of the images. They are left in ``output_dir`` beside it.

    Args:
        output_dir (str): Folder for the archive.
        competition (str): ``'comp6_test_cls'``, or ``'comp5_test_cls'`` for what learnt from VOC's data alone, without
            pretrained weights. Defaults to ``'comp6_test_cls'``.
    """

    output_dir: str

    def __init__(self, output_dir: str, competition: str = 'comp6_test_cls') -> None:
        super().__init__(output_dir, format_only=True)
        if competition not in ('comp5_test_cls', 'comp6_test_cls'):
            raise ValueError(f"competition must be 'comp5_test_cls' or 'comp6_test_cls', got {competition!r}")
        self.folder = Path('results', 'VOC2012', 'Segmentation', competition)

    def counter(self, sample: dict) -> '_Writer':
        classes = PascalVOCDataset.METAINFO['classes']
        if tuple(self.dataset_meta['classes']) != classes:
            raise DataError(
                f'VOCSubmissionMetric: expected the {len(classes)} classes of VOC, got {self.dataset_meta["classes"]}'
            )
        path = Path(self.output_dir, self.folder, f'{Path(sample["img_path"]).stem}.png')
        mask = sample['pred_sem_seg']['data'][0].cpu().numpy().astype(np.uint8)
        return _Writer(path, mask)

    def empty(self) -> Counts:
        return {}

    def summarize(self, total: Counts) -> dict[str, float]:
        return {}

    def evaluate(self, size: int) -> dict[str, float]:
        """Pack the archive once all processes have written.

        Args:
            size (int): Length of the whole data set.

        Returns:
            dict[str, float]: Empty.

        Raises:
            DataError: If the folder holds another number of masks.
        """
        figures = super().evaluate(size)
        if is_main_process():
            masks = sorted(Path(self.output_dir, self.folder).glob('*.png'))
            if len(masks) != size:
                raise DataError(
                    f'{Path(self.output_dir, self.folder)}: expected {size} masks, one of each image, found '
                    f'{len(masks)}; empty the folder if an earlier run left some'
                )
            archive = Path(self.output_dir, ARCHIVE_FILE)
            atomic_write(archive, self._pack(masks))
            print_log(f'{archive}: {size} masks for the evaluation server', MMLogger.get_current_instance())
        return figures

    def _pack(self, masks: list[Path]) -> bytes:
        buffer = io.BytesIO()
        with tarfile.open(fileobj=buffer, mode='w:gz') as archive:
            for path in masks:
                content = path.read_bytes()
                member = tarfile.TarInfo((self.folder / path.name).as_posix())
                member.size = len(content)
                archive.addfile(member, io.BytesIO(content))
        return buffer.getvalue()


@dataclass(frozen=True)
class _Writer:
    path: Path
    mask: np.ndarray

    def __call__(self, made: Made) -> None:
        write_mask(self.path, self.mask, PascalVOCDataset.METAINFO['palette'])
