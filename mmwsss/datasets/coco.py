"""COCO as a segmentation data set: the 80 classes of its objects and a background."""

from mmseg.datasets import BaseSegDataset

from mmwsss.registry import DATASETS

from .palette import color_map

CLASSES = (
    'background',
    'person', 'bicycle', 'car', 'motorcycle', 'airplane', 'bus', 'train', 'truck', 'boat', 'traffic light',
    'fire hydrant', 'stop sign', 'parking meter', 'bench', 'bird', 'cat', 'dog', 'horse', 'sheep', 'cow',
    'elephant', 'bear', 'zebra', 'giraffe', 'backpack', 'umbrella', 'handbag', 'tie', 'suitcase', 'frisbee',
    'skis', 'snowboard', 'sports ball', 'kite', 'baseball bat', 'baseball glove', 'skateboard', 'surfboard',
    'tennis racket', 'bottle', 'wine glass', 'cup', 'fork', 'knife', 'spoon', 'bowl', 'banana', 'apple',
    'sandwich', 'orange', 'broccoli', 'carrot', 'hot dog', 'pizza', 'donut', 'cake', 'chair', 'couch',
    'potted plant', 'bed', 'dining table', 'toilet', 'tv', 'laptop', 'mouse', 'remote', 'keyboard',
    'cell phone', 'microwave', 'oven', 'toaster', 'sink', 'refrigerator', 'book', 'clock', 'vase', 'scissors',
    'teddy bear', 'hair drier', 'toothbrush',
)  # fmt: skip
PALETTE = color_map(len(CLASSES))


@DATASETS.register_module()
class COCOObjectDataset(BaseSegDataset):
    """The 80 object classes of COCO (Lin et al., ECCV 2014) and a background,
    as :func:`mmwsss.converters.coco.convert_coco` writes them.

    This is not mmseg's ``COCOStuffDataset``, whose 171 classes cover the image and which has no background.

    Examples:
        >>> dataset = dict(
        ...     type='COCOObjectDataset',
        ...     data_root='data/coco',
        ...     ann_file='lists/train2014.txt',
        ...     data_prefix=dict(img_path='train2014', seg_map_path='masks/train2014'))
    """

    METAINFO = dict(classes=CLASSES, palette=PALETTE)
