"""The tool of annotations: from a folder of masks to a format and back."""

import numpy as np
import pytest

from mmwsss.commands import parse
from mmwsss.commands.convert import annotations
from mmwsss.converters.annotations import FORMATS
from mmwsss.converters.annotations.label_studio import IMAGE_URL
from mmwsss.fileio import DataError, read_mask


@pytest.fixture
def main():
    return lambda arguments: annotations.run(parse(annotations, arguments))


def test_the_flags_know_all_formats():
    assert annotations.FORMATS == FORMATS and annotations.IMAGE_URL == IMAGE_URL


@pytest.fixture
def images(image_set):
    return image_set([['disc'], ['box', 'stripe'], []])


def test_from_a_config_there_and_back(main, images, tmp_path, capsys):
    config = tmp_path / 'cam.py'
    config.write_text(f'train_dataloader = dict(dataset=dict(dataset={images.dataset!r}))\n')
    common = ['--config', str(config)]
    main(
        [
            'export',
            'coco',
            str(images.root / 'masks'),
            str(tmp_path / 'coco'),
            *common,
            '--polygons',
            '--tolerance',
            '0',
        ]
    )
    main(
        [
            'import',
            'coco',
            str(tmp_path / 'coco'),
            str(tmp_path / 'back'),
            *common,
            '--pseudo-masks',
            str(images.root / 'masks'),
        ]
    )
    printed = capsys.readouterr().out.splitlines()
    assert printed == [
        f'{tmp_path}/coco: annotations of 3 images',
        f'{tmp_path}/back: 3 masks of annotations, 0 copied pseudo masks',
    ]
    for image_id, mask in images.masks.items():
        assert np.array_equal(read_mask(tmp_path / 'back' / f'{image_id}.png'), mask)


def test_from_a_list_of_classes(main, images, tmp_path, capsys):
    (tmp_path / 'list.txt').write_text('p0\n')
    common = ['--classes', *images.classes]
    arguments = ['export', 'cvat', str(images.root / 'masks'), str(tmp_path / 'cvat'), *common]
    with pytest.raises(DataError, match='--images: expected the folder of the images, or --config'):
        main(arguments)
    main([*arguments, '--images', str(images.root / 'images'), '--list', str(tmp_path / 'list.txt')])
    main(['import', 'cvat', str(tmp_path / 'cvat'), str(tmp_path / 'back'), *common])
    assert '1 masks of annotations' in capsys.readouterr().out
    assert np.array_equal(read_mask(tmp_path / 'back/p0.png'), images.masks['p0'])
