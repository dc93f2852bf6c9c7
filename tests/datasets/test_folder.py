import pytest
from mmseg.registry import DATASETS

from mmwsss.datasets.folder import find_images
from mmwsss.datasets.palette import color_map
from mmwsss.fileio import DataError


@pytest.fixture
def folder(tmp_path):
    """Suffixes of all kinds, a sub-folder, and files that are no images."""
    for name in ('b.png', 'a.jpg', 'sub/c.JPEG', 'sub/.d.jpg', '.hidden/e.jpg', 'notes.txt'):
        (tmp_path / 'images' / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / 'images' / name).write_bytes(b'')
    return tmp_path / 'images'


def build(folder, **settings):
    return DATASETS.build(
        dict(
            type='mmwsss.FolderDataset',
            data_root=str(folder.parent),
            data_prefix=dict(img_path='images', seg_map_path='masks'),
            metainfo=dict(classes=('background', 'cat')),
            **settings,
        )
    )


def test_images_are_found_by_their_ids(folder):
    assert find_images(folder) == {'a': 'a.jpg', 'b': 'b.png', 'sub/c': 'sub/c.JPEG'}
    with pytest.raises(DataError, match='absent: expected a folder of images'):
        find_images(folder / 'absent')


def test_images_of_one_id_are_refused(folder):
    (folder / 'a.png').write_bytes(b'')
    with pytest.raises(DataError, match=r'a\.jpg and a\.png have the same image id'):
        find_images(folder)


def test_the_list_says_which_images_and_the_folder_with_which_suffix(folder, mmseg_scope):
    (folder.parent / 'train.txt').write_text('sub/c\nb\n')
    dataset = build(folder, ann_file='train.txt')
    assert [sample['img_path'] for sample in dataset] == [str(folder / 'sub/c.JPEG'), str(folder / 'b.png')]
    assert dataset[0]['seg_map_path'] == str(folder.parent / 'masks/sub/c.png')
    assert dataset.metainfo['palette'] == color_map(2)


def test_a_list_is_needed(folder, mmseg_scope):
    with pytest.raises(DataError, match='needs the list of its images as ann_file'):
        build(folder)


def test_a_list_and_masks_of_other_spellings_mean_the_images(folder):
    (folder.parent / 'list.txt').write_text('B\nsub/C\n')
    (folder.parent / 'masks' / 'sub').mkdir(parents=True)
    (folder.parent / 'masks' / 'sub' / 'c.PNG').write_bytes(b'')
    samples = build(folder, ann_file='list.txt').load_data_list()
    assert [sample['img_path'] for sample in samples] == [str(folder / 'b.png'), str(folder / 'sub' / 'c.JPEG')]
    assert samples[1]['seg_map_path'] == str(folder.parent / 'masks' / 'sub' / 'c.PNG')
