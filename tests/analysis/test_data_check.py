import json
import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest
from mmengine.config import Config

from mmwsss.analysis.data_check import check_data
from mmwsss.commands import check_data as command
from mmwsss.commands import start
from mmwsss.fileio import DataError, write_mask

LABELS = [['disc'], ['stripe', 'box'], ['disc', 'box'], ['stripe']]
SIZES = ((40, 56), (60, 44))

pytestmark = pytest.mark.usefixtures('mmseg_scope')


def image_labels(data, **settings):
    return dict(
        dataset=dict(type='mmwsss.ImageLabelDataset', dataset=data.dataset, image_labels=data.labels, **settings)
    )


@pytest.fixture
def data(image_set):
    made = image_set(LABELS, SIZES)
    (made.root / 'masked.txt').write_text('p0\nsub/p1\n')
    return made


@pytest.fixture
def configs(data):
    """A stage that trains, and one that makes labels, measured on a list of masks."""
    return dict(
        cam=Config(dict(train_dataloader=image_labels(data))),
        labels=Config(dict(test_dataloader=image_labels(data, mask_list='masked.txt'))),
    )


def problems(configs, *made):
    return check_data(configs, made, num_workers=2).problems


def test_a_data_set_without_fault(data, configs, tmp_path):
    summary = check_data(configs, sheet=tmp_path / 'sheet.png', num_shown=3, num_workers=2)
    assert summary.problems == [] and summary.images == {True: 4}
    assert [warning.split(':')[0] for warning in summary.warnings] == [f'class {n!r}' for n in data.classes[1:]]
    assert dict(summary.labels) == {(True, 'disc'): 2, (True, 'stripe'): 2, (True, 'box'): 2}
    assert summary.sizes == {(40, 56): 2, (60, 44): 2}
    expected = sum(np.bincount(data.masks[name][2:].ravel(), minlength=4) for name in ('p0', 'sub/p1'))
    assert summary.pixels.tolist() == expected.tolist()
    table = summary.table()
    assert 'stripe' in table and 'short sides: 40 to 44 pixels' in table and 'long sides: 56 to 60' in table
    assert '% of masks' in table
    sheet = cv2.imread(str(tmp_path / 'sheet.png'))
    assert sheet.shape[1] > 3 * 180 and len(np.unique(sheet.reshape(-1, 3), axis=0)) > 50


def test_without_masks_the_table_has_no_shares(data, configs):
    shutil.rmtree(data.root / 'masks')
    lines = check_data(configs, num_workers=2).table().splitlines()
    assert lines[0].split() == ['trained', 'on', 'others']
    assert lines[1] == 'background' and lines[2].split()[1:] == ['2', '0']


def test_all_that_is_wrong_is_named_in_one_run(data, configs):
    images, masks = data.root / 'images', data.root / 'masks'
    (images / 'p0.jpg').unlink()
    (images / 'p2.jpg').write_bytes((images / 'p2.jpg').read_bytes()[:300])
    cv2.imwrite(str(masks / 'sub' / 'p1.png'), np.zeros((9, 9), np.uint8))
    Path(data.labels).write_text(json.dumps({'p0': ['disc'], 'p2': ['tiger', 'disc'], 'sub/p3': ['stripe']}))
    found = problems(configs)
    for part in (
        'p0.jpg',
        'p2.jpg',
        'p1.png: expected a mask of',
        "no image-level labels of image 'sub/p1'",
        "label 'tiger' of image 'p2' is no class",
        "class 'box': no image to train on",
    ):
        assert sum(part in line for line in found) == 1, (part, found)
    assert len(found) == 6 and all('\n' not in line for line in found)


def test_masks_that_are_listed_must_be_there(data, configs):
    (data.root / 'masks' / 'p0.png').unlink()
    (data.root / 'masks' / 'p2.png').unlink()
    (problem,) = problems(configs)
    assert 'masks/p0.png' in problem
    (data.root / 'masked.txt').unlink()
    (problem,) = problems(configs)
    assert 'masked.txt' in problem


def test_without_a_list_masks_are_read_where_they_are(data):
    (data.root / 'masks' / 'p0.png').unlink()
    cv2.imwrite(str(data.root / 'masks' / 'p2.png'), np.full((40, 56), 77, np.uint8))
    (problem,) = problems(dict(infer=Config(dict(test_dataloader=image_labels(data)))))
    assert 'p2.png: index 77 is none of the 4 classes' in problem


def test_a_segmentor_needs_all_masks_of_its_test(data):
    (data.root / 'masks' / 'p0.png').unlink()
    segmentor = Config(dict(test_dataloader=dict(dataset=data.dataset)))
    (problem,) = problems(dict(segmentor=segmentor))
    assert 'masks/p0.png' in problem
    assert problems(dict(segmentor=segmentor), str(data.root / 'masks')) == []


def test_labels_and_masks_that_disagree_are_a_warning(data, configs):
    Path(data.labels).write_text(json.dumps({**dict(zip(data.ids, LABELS)), 'p0': ['box']}))
    told = '\n'.join(check_data(configs, num_workers=1).warnings)
    assert 'p0.png: the mask holds disc, the image-level labels do not' in told
    assert 'p0.png: the labels say box, the mask not' in told


def test_labels_and_lists_of_other_spellings_are_no_problem(data, configs):
    Path(data.labels).write_text(json.dumps({f'{name.upper()}.JPG': labels for name, labels in zip(data.ids, LABELS)}))
    (data.root / 'masked.txt').write_text('P0\nsub/p1\n')
    summary = check_data(configs, num_workers=1)
    assert not summary.problems and summary.pixels.sum() > 0


def whiten(data, *names):
    """Saves classes of all masks as white."""
    for image_id, mask in data.masks.items():
        changed = mask.copy()
        changed[np.isin(mask, [data.classes.index(name) for name in names])] = 255
        write_mask(data.root / 'masks' / f'{image_id}.png', changed, [(i, i, i) for i in range(4)])


def test_masks_of_0_and_255_are_a_problem(data, configs):
    whiten(data, *data.classes[1:])
    (problem,) = problems(configs)
    assert problem.startswith('the masks (2) hold nothing but 0 and 255') and 'mask[mask == 255] = 1' in problem


def test_a_class_of_labels_that_no_mask_holds_is_told(data, configs):
    whiten(data, 'disc')
    summary = check_data(configs, num_workers=1)
    (told,) = (line for line in summary.warnings if 'is in no mask' in line)
    assert (
        told.startswith("class 'disc' is in no mask, but labels name it for 1 of the images") and not summary.problems
    )


def test_labels_of_masks_are_counted(data):
    config = Config(dict(train_dataloader=image_labels(data)))
    config.train_dataloader.dataset.image_labels = 'masks'
    summary = check_data(dict(train=config), num_workers=1)
    assert summary.labels[True, 'disc'] == 2 and not summary.problems


def test_images_to_train_and_to_measure_on_are_told(data):
    (data.root / 'val.txt').write_text('p2\n')
    loader = image_labels(data)
    held_out = image_labels(data)
    held_out['dataset']['dataset'] = dict(data.dataset, ann_file='val.txt')
    warnings = check_data(dict(cam=Config(dict(train_dataloader=loader, val_dataloader=held_out)))).warnings
    assert [line for line in warnings if 'measures' in line] == [
        f'{data.root}/images/p2.jpg: cam trains on this image and measures on it'
    ]


def test_labels_are_made_of_the_images_that_are_trained_on(data):
    loops = dict(train_dataloader=image_labels(data), test_dataloader=image_labels(data))
    making = Config(dict(loops, test_cfg=dict(type='mmwsss.LabelLoop')))
    measuring = Config(dict(loops, test_cfg=dict(type='TestLoop')))
    counts = [
        sum('measures' in line for line in check_data(dict(stage=config)).warnings) for config in (making, measuring)
    ]
    assert counts == [0, 4]


def test_missing_lists_and_weights_are_problems(data, configs):
    configs['cam'].model = dict(init_cfg=dict(type='Pretrained', checkpoint='absent.pth'))
    (data.root / 'list.txt').unlink()
    found = problems(configs)
    assert any('absent.pth' in line for line in found) and any('list.txt' in line for line in found)


@pytest.fixture
def run_tool(monkeypatch, tmp_path):
    def run(config, *arguments):
        monkeypatch.chdir(tmp_path)
        with pytest.raises(SystemExit) as ended:
            start(command, [str(config), '--num-workers', '1', *arguments])
        return ended.value.code

    return run


def test_the_tool_ends_with_the_status(configs, data, tmp_path, run_tool, capsys):
    configs['cam'].dump(tmp_path / 'stage.py')
    assert run_tool(tmp_path / 'stage.py', '--sheet', str(tmp_path / 'sheet.png')) == 0
    assert (tmp_path / 'sheet.png').is_file() and 'images' in capsys.readouterr().out
    (data.root / 'images' / 'p0.jpg').unlink()
    assert run_tool(tmp_path / 'stage.py', '--sheet', str(tmp_path / 'sheet.png')) == 1
    assert 'problem: ' in capsys.readouterr().out


def test_the_sheet_lies_beside_the_work_directories_where_nobody_says_where(configs, data, tmp_path, run_tool, capsys):
    configs['cam'].work_dir = str(tmp_path / 'work_dirs' / 'run' / 'cam')
    configs['cam'].dump(tmp_path / 'stage.py')
    assert run_tool(tmp_path / 'stage.py') == 0
    sheet = tmp_path / 'work_dirs' / 'run' / 'data_sheet.png'
    assert sheet.is_file() and str(sheet) in capsys.readouterr().out
    assert not list(tmp_path.glob('*.png'))


def test_configs_without_data_are_refused(tmp_path):
    (tmp_path / 'empty.py').write_text('value = 1\n')
    with pytest.raises(DataError, match='dataloader'):
        check_data(dict(stage=Config.fromfile(tmp_path / 'empty.py')))
