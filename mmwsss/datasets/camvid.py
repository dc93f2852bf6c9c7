"""CamVid in the layout and with the 11 classes of the SegNet tutorial."""

from collections.abc import Sequence

from mmengine import fileio
from mmseg.datasets import BaseSegDataset

from mmwsss.registry import DATASETS

VOID = 11


@DATASETS.register_module()
class CamVidDataset(BaseSegDataset):
    """Street scenes of Brostow et al. (PRL 2009) in the layout of the SegNet tutorial.

    Images are ``<split>/<id>.png``, or ``.jpg`` in re-encoded copies; masks are ``<split>annot/<id>.png``. The
    classes cover the image, there is no background. The masks' index 11, unlabeled, is read as 255.

    Args:
        img_suffix (str, optional): Defaults to None: ``'.png'`` if the folder holds a PNG, else ``'.jpg'``.
        **kwargs: Those of ``BaseSegDataset``.

    Examples:
        >>> dataset = dict(
        ...     type='CamVidDataset',
        ...     data_root='data/camvid',
        ...     data_prefix=dict(img_path='train', seg_map_path='trainannot'))
    """

    img_suffix: str | None
    METAINFO: dict = dict(
        classes=(
            'sky',
            'building',
            'pole',
            'road',
            'pavement',
            'tree',
            'sign',
            'fence',
            'car',
            'pedestrian',
            'bicyclist',
        ),
        palette=[
            [128, 128, 128],
            [128, 0, 0],
            [192, 192, 128],
            [128, 64, 128],
            [60, 40, 222],
            [128, 128, 0],
            [192, 128, 128],
            [64, 64, 128],
            [64, 0, 128],
            [64, 64, 0],
            [0, 128, 192],
        ],
    )

    def __init__(self, img_suffix: str | None = None, **kwargs: object) -> None:
        super().__init__(img_suffix=img_suffix, **kwargs)

    @classmethod
    def get_label_map(cls, new_classes: Sequence[str] | None = None) -> dict[int, int]:
        """Class index of each index stored in the masks."""
        classes = cls.METAINFO['classes']
        return {**(super().get_label_map(new_classes) or dict(enumerate(range(len(classes))))), VOID: 255}

    def load_data_list(self) -> list[dict]:
        if self.img_suffix is None:
            files = fileio.list_dir_or_file(
                self.data_prefix['img_path'], list_dir=False, suffix='.png', backend_args=self.backend_args
            )
            self.img_suffix = '.png' if next(iter(files), None) else '.jpg'
        return super().load_data_list()
