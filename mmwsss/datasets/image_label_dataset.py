import os.path as osp
from collections.abc import Callable, Sequence

import numpy as np
from mmengine import fileio
from mmengine.dataset import BaseDataset
from mmengine.dist import is_main_process

from mmwsss.fileio import DataError, check_image_id, class_of_index, read_class_mask
from mmwsss.fileio.white_masks import check_white_masks
from mmwsss.registry import DATASETS
from mmwsss.visualization.progress_bar import track

from .class_names import check_class_names, check_given_classes, has_background
from .image_id_matching import match_image_ids
from .image_labels import labels_from_mask, multi_hot, read_image_labels


@DATASETS.register_module()
class ImageLabelDataset(BaseDataset):
    """Adds image-level labels, and the files that the stages exchange, to any segmentation data set.

    Class 0 is the background if ``metainfo`` of the wrapped data set says so under ``with_background``, or else if its
    name is ``background``. The metainfo of this data set always says it.

    Each sample of the wrapped data set is extended by

    - ``num_classes``: number of classes, with the background if there is one,
    - ``with_background``: whether class 0 is the background,
    - ``image_id``: path of the image under the image folder of the data set, without suffix,
    - ``gt_label``: float32 multi-hot over the foreground classes, or over all classes if there is no background; only
      with ``image_labels``,
    - ``gt_class_ids``: uint8 class indices of these labels,
    - ``seed_path``, ``affinity_label_path``, ``pseudo_mask_path``, ``pixel_weight_path``: files of the folders that are
      given,
    - ``seg_map_path``: the ground truth to evaluate on, None where there is none.

    The ground truth is never used in training. Labels are read from it only with ``image_labels='masks'``.

    Args:
        dataset (dict): Config of a ``BaseSegDataset``, which gives the images, the classes and the ground truth. Its
            pipeline is not run.
        image_labels (str, optional): A file or folder for :func:`read_image_labels`, or ``'masks'``. Defaults to None.
        seed_dir (str, optional): Folder of seeds. Defaults to None.
        affinity_label_dir (str, optional): Folder of affinity labels. Defaults to None.
        pseudo_mask_dir (str, optional): Folder of pseudo masks. Defaults to None.
        mask_list (str, optional): List of the image ids to evaluate on, relative to the data root; each must have
            a mask. By default, all that have one.
        pipeline (sequence): Transforms. Defaults to ().
        test_mode (bool): As in ``BaseDataset``. Defaults to False.
        lazy_init (bool): As in ``BaseDataset``. Defaults to False.
        indices (int | sequence[int], optional): As in ``BaseDataset``. Defaults to None.
        pixel_weight_dir (str, optional): Folder of the weights of the pixels of pseudo masks. Defaults to None.

    Raises:
        DataError: If there is no image, an image is listed twice, lies outside the image folder or has no labels, a
            label is no class, or a list or a listed mask is missing; and for a sample whose pipeline fails.
    """

    def __init__(
        self,
        dataset: dict,
        image_labels: str | None = None,
        seed_dir: str | None = None,
        affinity_label_dir: str | None = None,
        pseudo_mask_dir: str | None = None,
        mask_list: str | None = None,
        pipeline: Sequence[dict | Callable] = (),
        test_mode: bool = False,
        lazy_init: bool = False,
        indices: int | Sequence[int] | None = None,
        pixel_weight_dir: str | None = None,
    ) -> None:
        self.images = _build_images(dataset)
        self.image_labels = image_labels
        self.folders = {
            'seed_path': (seed_dir, '.npz'),
            'affinity_label_path': (affinity_label_dir, '.png'),
            'pseudo_mask_path': (pseudo_mask_dir, '.png'),
            'pixel_weight_path': (pixel_weight_dir, '.png'),
        }
        self.mask_list = osp.join(self.images.data_root or '', mask_list) if mask_list else None
        classes = self.images.metainfo.get('classes')
        check_class_names(classes, dataset['type'])
        if len(classes) > 254:
            raise ValueError(f'at most 254 classes fit a mask, got {len(classes)}')
        # A data set copies its metainfo whenever it is asked for it.
        self.classes = tuple(classes)
        self.with_background = has_background(self.images.metainfo)
        super().__init__(
            metainfo={**self.images.metainfo, 'with_background': self.with_background},
            data_root='',
            pipeline=list(pipeline),
            test_mode=test_mode,
            lazy_init=lazy_init,
            indices=indices,
        )

    @property
    def foreground(self) -> tuple[str, ...]:
        """Names of the classes that image-level labels are about."""
        return self.classes[1 if self.with_background else 0 :]

    def load_data_list(self) -> list[dict]:
        try:
            samples = self.images.load_data_list()
        except (AssertionError, OSError, UnicodeDecodeError) as error:
            raise DataError(f'the images of {_places(self.images)} cannot be listed: {error}') from error
        # Of an empty line in the list, the data sets of mmseg make a file that is all suffix.
        samples = [sample for sample in samples if osp.splitext(osp.basename(sample['img_path']))[1]]
        if not samples:
            raise DataError(f'no image found in {_places(self.images)}, expected at least one')
        self._add_image_ids(samples)
        for sample in samples:
            sample['num_classes'] = len(self.classes)
            sample['with_background'] = self.with_background
            for key, (folder, suffix) in self.folders.items():
                if folder is not None:
                    sample[key] = osp.join(folder, sample['image_id'] + suffix)
        self._add_labels(samples)
        self._keep_masks_to_evaluate(samples)
        return samples

    def _add_image_ids(self, samples: list[dict]) -> None:
        image_dir, source = self.images.data_prefix.get('img_path', ''), _places(self.images)
        seen = set()
        for sample in samples:
            # Before relpath makes "folder/../" disappear: with a linked folder, that is a place outside.
            if '..' in sample['img_path'].removeprefix(image_dir).split('/'):
                raise DataError(f'{source}: expected images below the image folder, got {sample["img_path"]}')
            image_id = self._image_id(_below(sample['img_path'], image_dir))
            check_image_id(image_id, source)
            if image_id in seen:
                raise DataError(f'{source}: the image {image_id!r} is there twice')
            seen.add(image_id)
            sample['image_id'] = image_id

    def get_data_info(self, idx: int) -> dict:
        """The sample of an index, with ``gt_label``, which long lists do without."""
        sample = super().get_data_info(idx)
        if 'gt_class_ids' in sample:
            label = np.zeros(len(self.foreground), np.float32)
            label[sample['gt_class_ids'] - np.uint8(self.with_background)] = 1
            sample['gt_label'] = label
        return sample

    def get_cat_ids(self, idx: int) -> list[int]:
        """Data set indices of the classes present, for samplers and wrappers that balance classes.

        Those of the image-level labels, or, without labels, of the pseudo mask; the background is not among them.

        Raises:
            DataError: If the data set has neither, or the pseudo mask cannot be read.
        """
        sample = self.get_data_info(idx)
        if 'gt_class_ids' in sample:
            return sample['gt_class_ids'].tolist()
        if 'pseudo_mask_path' not in sample:
            raise DataError(
                f'{sample["img_path"]}: expected image_labels or pseudo_mask_dir of the data set, to balance classes'
            )
        found = set(np.unique(read_class_mask(sample['pseudo_mask_path'], sample['num_classes'])).tolist())
        return sorted(found - ({0, 255} if self.with_background else {255}))

    def prepare_data(self, idx: int) -> dict | None:
        try:
            return super().prepare_data(idx)
        except DataError:
            raise
        except Exception as error:
            # Transforms of mmcv and mmseg fail without a word about which file it was.
            sample = self.get_data_info(idx)
            mask = f' with mask {sample["seg_map_path"]}' if sample.get('seg_map_path') else ''
            reason = f'{type(error).__name__}: {error}'.strip(' :')
            raise DataError(f'{sample["img_path"]}{mask}: the transforms of the data set fail ({reason})') from error

    def _image_id(self, path: str) -> str:
        suffix = getattr(self.images, 'img_suffix', None)
        stem = path.removesuffix(suffix) if suffix and path.endswith(suffix) else osp.splitext(path)[0]
        return stem.replace(osp.sep, '/')

    def _keep_masks_to_evaluate(self, samples: list[dict]) -> None:
        if self.mask_list is None:
            for sample in samples:
                path = sample.get('seg_map_path')
                sample['seg_map_path'] = path if path and fileio.exists(path) else None
            return
        try:
            listed = {line.strip() for line in fileio.get_text(self.mask_list).splitlines()} - {''}
        except (OSError, UnicodeDecodeError) as error:
            raise DataError(f'{self.mask_list}: the list of masks cannot be read ({error})') from error
        evaluated = set(match_image_ids((sample['image_id'] for sample in samples), listed, self.mask_list).values())
        if not evaluated:
            raise DataError(
                f'{self.mask_list}: expected ids of the images, such as {samples[0]["image_id"]}, found none of them'
            )
        for sample in samples:
            if sample['image_id'] not in evaluated:
                sample['seg_map_path'] = None
            elif not fileio.exists(sample.get('seg_map_path') or ''):
                raise DataError(f'{sample.get("seg_map_path")}: {self.mask_list} lists this mask, but it is missing')

    def _add_labels(self, samples: list[dict]) -> None:
        if self.image_labels is None:
            return
        if self.image_labels == 'masks':
            read = track(samples) if is_main_process() else samples
            labels = {sample['image_id']: self._labels_of_mask(sample) for sample in read}
            if not any(labels.values()):
                check_white_masks((sample['seg_map_path'] for sample in samples), _places(self.images))
        else:
            image_ids = [sample['image_id'] for sample in samples]
            given = read_image_labels(self.image_labels, image_ids)
            meant = match_image_ids(image_ids, given, self.image_labels)
            labels = {image_id: given[name] for name, image_id in meant.items()}
        foreground = self.foreground
        for sample in samples:
            image_id = sample['image_id']
            if image_id not in labels:
                raise DataError(f'{self.image_labels}: no image-level labels of image {image_id!r}')
            label = multi_hot(labels[image_id], foreground, image_id, self.image_labels)
            sample['gt_class_ids'] = (label.nonzero()[0] + self.with_background).astype('uint8')

    def _labels_of_mask(self, sample: dict) -> list[str]:
        if not sample.get('seg_map_path'):
            raise DataError(
                f"{sample['img_path']}: image_labels='masks' needs a mask; set seg_map_path of the data set"
            )
        stored = class_of_index(sample.get('label_map'), sample.get('reduce_zero_label', False))
        return labels_from_mask(sample['seg_map_path'], self.classes, stored, self.with_background)


def _below(path: str, folder: str) -> str:
    """``osp.relpath``, which takes ten times as long, of a file that mostly lies below the folder."""
    start = osp.join(folder, '')
    below = path.removeprefix(start)
    if folder and below != path and {'', '.', '..'}.isdisjoint(below.split('/')):
        return below
    return osp.relpath(path, folder)


def _build_images(dataset: dict) -> BaseDataset:
    ann_file = str(dataset.get('ann_file', ''))
    if ann_file.endswith(('.pkl', '.pickle', '.yml', '.yaml')):
        raise DataError(f'{ann_file}: expected a list of images as text or JSON; pickles and YAML can run code')
    check_given_classes(dataset.get('metainfo'), dataset['type'])
    try:
        return DATASETS.build({**dataset, 'lazy_init': True, 'pipeline': []})
    except AssertionError as error:
        # Some data sets of mmseg assert, without a word, that their folder and list exist.
        places = {name: dataset.get(name) for name in ('data_root', 'data_prefix', 'ann_file')}
        raise DataError(
            f'{dataset["type"]} cannot be built: expected its folders and list at {places} {error}'.rstrip()
        ) from error


def _places(images: BaseDataset) -> str:
    folder = images.data_prefix.get('img_path')
    if images.ann_file:
        return f'{folder} as listed by {images.ann_file}'
    return f'{folder} (suffix {getattr(images, "img_suffix", "of any kind")})'
