"""Configs for images of one's own: they load from where they are written, with the classes and folders of the data."""

import runpy
import sys
from pathlib import Path

import cv2
import pytest
from mmengine.config import Config

import mmwsss
from mmwsss.converters.folder_configs import METHODS, write_folder_configs
from mmwsss.engine.filled_variables import check_not_filled
from mmwsss.fileio import DataError

ROOT = Path(__file__).parents[2]
CLASSES = ['background', *(f'kind of thing {index}' for index in range(12)), "dog's"]


def load(folder):
    paths = {path.stem: path for path in sorted(folder.glob('*.py')) if path.name != 'data.py'}
    for path in paths.values():
        check_not_filled(path)
    return {stage: Config.fromfile(path) for stage, path in paths.items()}


@pytest.mark.parametrize('method', METHODS)
def test_three_stages_with_the_classes_and_folders(tmp_path, method):
    assert write_folder_configs(tmp_path / 'configs', 'data/pets', CLASSES, has_masks=False, method=method) == []
    cfgs = load(tmp_path / 'configs')
    assert {'affinity', 'cam', 'segmentor'} <= set(cfgs)
    for stage, cfg in cfgs.items():
        dataset = (cfg.get('train_dataloader') or cfg.test_dataloader).dataset.dataset
        assert dataset.data_root == cfg.data_root == 'data/pets' and dataset.metainfo.classes == CLASSES
        assert cfg.work_dir == f'work_dirs/{method}/pets/{stage}'
    assert cfgs['cam'].model.head.num_classes == 13 and cfgs['segmentor'].model.decode_head.num_classes == 14
    assert cfgs['cam'].train_dataloader.dataset.image_labels == 'data/pets/image_labels.json'
    assert cfgs['affinity'].test_dataloader.dataset.seed_dir == f'{cfgs["cam"].work_dir}/seeds'
    for path in (tmp_path / 'configs').glob('*.py'):
        assert max(map(len, path.read_text().splitlines())) <= 120 + len(str(ROOT))


@pytest.mark.parametrize('method', METHODS)
def test_the_segmentor_is_measured_where_held_out_images_have_masks(tmp_path, method):
    for has_masks in (False, True):
        folder = tmp_path / str(has_masks)
        write_folder_configs(folder, 'data/pets', CLASSES, has_masks, method)
        cfg = load(folder)['segmentor']
        assert (cfg.val_cfg is not None) == has_masks
        written, tags = cfg.test_evaluator
        assert written.get('format_only', False) != has_masks and tags.type == 'mmwsss.TagMetric'
        assert cfg.test_dataloader.dataset.image_labels == 'data/pets/image_labels.json'
        loads = [step.type for step in cfg.test_dataloader.dataset.pipeline]
        assert ('LoadAnnotations' in loads) == has_masks
        assert cfg.test_dataloader.dataset.dataset.ann_file == 'val.txt'


def test_the_folder_works_from_anywhere(tmp_path):
    write_folder_configs(tmp_path / 'configs', 'data/pets', CLASSES, has_masks=True)
    (tmp_path / 'configs').rename(tmp_path / 'moved')
    assert load(tmp_path / 'moved')['cam'].data_root == 'data/pets'


def test_without_a_clone_they_inherit_the_installed_package(tmp_path, monkeypatch):
    installed = tmp_path / 'mmwsss' / '.mim'
    installed.mkdir(parents=True)
    (installed / 'configs').symlink_to(ROOT / 'configs')
    monkeypatch.setattr(mmwsss, '__file__', str(tmp_path / 'mmwsss' / '__init__.py'))
    write_folder_configs(tmp_path / 'configs', 'data/pets', CLASSES, has_masks=False)
    assert "'mmwsss::_base_/models/fast_cam_efficientnet_lite1.py'" in (tmp_path / 'configs' / 'cam.py').read_text()


def test_what_was_edited_is_left_alone(tmp_path):
    write_folder_configs(tmp_path, 'data/pets', CLASSES, has_masks=False)
    (tmp_path / 'cam.py').write_text('mine = 1\n')
    (warning,) = write_folder_configs(tmp_path, 'data/pets', CLASSES, has_masks=False)
    assert warning.startswith(f'{tmp_path}/cam.py: left as it is') and (tmp_path / 'cam.py').read_text() == 'mine = 1\n'


@pytest.mark.parametrize('given', [[], ['--configs', 'elsewhere']])
def test_the_tool_writes_them_and_names_the_next_command(tmp_path, make_image, monkeypatch, capsys, given):
    monkeypatch.chdir(tmp_path)
    (tmp_path / 'images').mkdir()
    for index in range(4):
        cv2.imwrite(str(tmp_path / 'images' / f'p{index}.jpg'), make_image(seed=index))
    (tmp_path / 'images' / 'labels.csv').write_text(''.join(f'p{index}.jpg,cat\n' for index in range(4)))
    monkeypatch.setattr(sys, 'argv', ['folder.py', 'images', 'set', *given])
    runpy.run_path(str(ROOT / 'tools/dataset_converters/folder.py'), run_name='__main__')
    where = given[-1] if given else 'set/configs'
    assert f'Next: mmwsss run {where}' in capsys.readouterr().out
    assert load(tmp_path / where)['cam'].model.head.num_classes == 1


SIDES = {
    ('fast', 'cam', 'train_dataloader'): 0.5,
    ('fast', 'cam', 'test_dataloader'): 1,
    ('fast', 'segmentor', 'train_dataloader'): 0.8,
    ('fast', 'segmentor', 'test_dataloader'): 0.5,
    ('affinitynet', 'cam', 'train_dataloader'): 1.2,
    ('affinitynet', 'cam', 'test_dataloader'): 1,
    ('affinitynet', 'affinity', 'train_dataloader'): 1,
    ('affinitynet', 'affinity', 'test_dataloader'): 1,
    ('affinitynet', 'segmentor', 'train_dataloader'): 1.6,
    ('affinitynet', 'segmentor', 'test_dataloader'): 1,
}


@pytest.mark.parametrize('method, side', [('fast', 640), ('affinitynet', 320)])
@pytest.mark.parametrize('given', [None, 1000])
@pytest.mark.parametrize('has_masks', [True, False])
def test_the_size_of_images_is_one_number(tmp_path, method, side, given, has_masks):
    write_folder_configs(tmp_path, 'data/pets', CLASSES, has_masks, method, given)
    loaded = load(tmp_path)
    for (of, stage, loader), factor in SIDES.items():
        if of != method:
            continue
        pipeline = loaded[stage][loader].dataset.pipeline
        (scale,) = [step.scale for step in pipeline if 'Resize' in step.type]
        assert tuple(scale) == (round(factor * (given or side)),) * 2, (stage, loader)
    augmented = [step.scale[0] for step in loaded['segmentor'].tta_pipeline[1].transforms[0]]
    of_test = loaded['segmentor'].test_dataloader.dataset.pipeline[1].scale[0]
    assert augmented == [round(0.8 * of_test), of_test, round(1.4 * of_test)]


def test_a_size_that_is_none_is_refused(tmp_path):
    with pytest.raises(DataError, match='--max-side: expected a long side of at least 64 pixels, got 6'):
        write_folder_configs(tmp_path, 'data/pets', CLASSES, has_masks=True, max_side=6)
