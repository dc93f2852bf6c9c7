import csv
import importlib.util
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mmwsss.analysis.mask_folders import FolderComparison, compare_folders, find_pairs
from mmwsss.fileio import DataError, write_mask

CLASSES = ['background', 'cat', 'dog', 'cow']
ROOT = Path(__file__).parents[2]


@pytest.fixture
def folders(tmp_path):
    """Predictions as palette PNGs, truth as gray ones, three images of two sizes."""
    rng, masks = np.random.default_rng(0), {}
    for index, image_id in enumerate(('a', 'b', 'sub/c')):
        size = (40, 48) if index % 2 else (48, 32)
        coarse = rng.integers(0, 3, (2, size[0] // 8, size[1] // 8)).astype(np.uint8)
        prediction, truth = np.kron(coarse, np.ones((8, 8), np.uint8))
        truth[:3], prediction[10:12, 3:9] = 255, 255
        write_mask(tmp_path / 'pred' / f'{image_id}.png', prediction, [(i, 0, 0) for i in range(4)])
        path = tmp_path / 'gt' / f'{image_id}.png'
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(truth).save(path)
        masks[image_id] = prediction, truth
    return tmp_path / 'pred', tmp_path / 'gt', masks


@pytest.fixture
def tool():
    spec = importlib.util.spec_from_file_location('eval_masks', ROOT / 'tools/analysis_tools/eval_masks.py')
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return lambda *arguments: module.main([str(argument) for argument in arguments])


def compared(pred_dir, gt_dir, num_workers=0):
    comparison = FolderComparison(CLASSES)
    for counts in compare_folders(find_pairs(pred_dir, gt_dir), len(CLASSES), num_workers):
        comparison.add(counts)
    return comparison


def test_figures_of_classes_and_images(folders, slow_miou):
    pred_dir, gt_dir, masks = folders
    comparison = compared(pred_dir, gt_dir)
    summary = comparison.summary()
    predictions, truths = zip(*masks.values())
    assert summary['images'] == 3 and summary['mIoU'] == pytest.approx(slow_miou(truths, predictions), abs=1e-3)
    for image_id, (prediction, truth) in masks.items():
        assert comparison.image_means[image_id] == pytest.approx(slow_miou([truth], [prediction]), abs=1e-3)
    assert summary['classes']['cow'] == dict.fromkeys(summary['classes']['cow'])
    row = next(row for row in comparison.image_rows if row[:2] == ('sub/c', 'dog'))
    prediction, truth = masks['sub/c']
    valid = truth != 255
    pixels = [(truth == 2).sum(), (valid & (prediction == 2)).sum(), ((truth == 2) & (prediction == 2)).sum()]
    assert list(row[2:5]) == pixels and row[5] == pytest.approx(
        100 * pixels[2] / (pixels[0] + pixels[1] - pixels[2]), abs=0.01
    )


def test_the_truth_itself_is_perfect(folders):
    summary = compared(folders[1], folders[1]).summary()
    assert summary['mIoU'] == summary['mean_boundary_iou'] == summary['pixel_accuracy'] == 100


def test_processes_give_the_same(folders):
    one, two = compared(*folders[:2]), compared(*folders[:2], num_workers=2)
    assert one.summary() == two.summary() and one.image_rows == two.image_rows


def test_command_line(folders, tool, tmp_path, capsys):
    pred_dir, gt_dir, _ = folders
    out = tmp_path / 'figures'
    tool(pred_dir, gt_dir, '--classes', *CLASSES, '--out', out, '--num-workers', 0)
    printed = capsys.readouterr().out
    assert '3 images: mIoU' in printed and all(name in printed for name in CLASSES)
    summary = json.loads((out / 'summary.json').read_text())
    with open(out / 'classes.csv') as file:
        rows = {row['class']: row for row in csv.DictReader(file)}
    assert float(rows['cat']['iou']) == summary['classes']['cat']['iou'] and rows['cow']['iou'] == ''
    with open(out / 'images.csv') as file:
        assert {row['image'] for row in csv.DictReader(file)} == {'a', 'b', 'sub/c'}
    (tmp_path / 'list.txt').write_text('b\n')
    tool(pred_dir, gt_dir, '--num-classes', 4, '--list', tmp_path / 'list.txt', '--num-workers', 0)
    assert '1 images: mIoU' in capsys.readouterr().out


def test_truth_in_other_indices(folders, tool, tmp_path, capsys):
    """Truth and prediction are the same classes, stored in another order and with one that is not compared."""
    pred_dir, gt_dir, masks = folders
    stored = np.array([2, 0, 3] + [255] * 253, np.uint8)
    for image_id, (prediction, _) in masks.items():
        truth = stored[prediction]
        truth[20:24] = 1
        Image.fromarray(truth).save(gt_dir / f'{image_id}.png')
    names = ('cat', 'horse', 'background', 'dog')
    tool(pred_dir, gt_dir, '--classes', *CLASSES, '--gt-classes', *names, '--num-workers', 0)
    assert 'mIoU 100.00, boundary IoU' in capsys.readouterr().out


def test_missing_masks_are_named(folders):
    pred_dir, gt_dir, _ = folders
    (pred_dir / 'b.png').unlink()
    with pytest.raises(DataError, match=r'pred: 1 of 3 masks are missing: b\.png'):
        find_pairs(pred_dir, gt_dir)
    assert [pair[0] for pair in find_pairs(pred_dir, gt_dir, common=True)] == ['a', 'sub/c']
    with pytest.raises(DataError, match=r'pred: 1 of 2 masks are missing: x\.png'):
        find_pairs(pred_dir, gt_dir, ['a', 'x'])
    with pytest.raises(DataError, match='absent: expected a folder of masks'):
        find_pairs(pred_dir, 'absent')
    with pytest.raises(DataError, match='no image has a mask in both'):
        find_pairs(pred_dir, gt_dir, pred_suffix='.bmp', gt_suffix='.bmp')


def test_suffixes(folders, tmp_path):
    pred_dir, gt_dir, masks = folders
    for image_id in masks:
        (gt_dir / f'{image_id}.png').rename(gt_dir / f'{image_id}_labelIds.png')
    assert len(find_pairs(pred_dir, gt_dir, gt_suffix='_labelIds.png')) == 3


@pytest.mark.parametrize(
    'mask, expected',
    [
        (np.zeros((3, 4), np.uint8), r'expected \(48, 32\) pixels like .*gt/a\.png, got \(3, 4\)'),
        (np.full((48, 32), 4, np.uint8), 'index 4 is none of the 4 classes'),
    ],
)
@pytest.mark.parametrize('num_workers', [0, 1])
def test_wrong_mask_is_named(folders, mask, expected, num_workers):
    write_mask(folders[0] / 'a.png', mask, [(0, 0, 0)])
    with pytest.raises(DataError, match=rf'pred/a\.png: {expected}'):
        compared(*folders[:2], num_workers)


def write_white(folder, image_ids):
    """Masks of one class that was saved as white."""
    for image_id in image_ids:
        mask = np.zeros((40, 48), np.uint8)
        mask[10:20] = 255
        write_mask(folder / f'{image_id}.png', mask, [(0, 0, 0)])


def test_ground_truth_of_0_and_255_is_refused_with_the_cure(tmp_path, tool):
    write_white(tmp_path / 'gt', 'ab')
    write_white(tmp_path / 'pred', 'ab')
    with pytest.raises(DataError, match=r'gt: the masks \(2\) hold nothing but 0 and 255.*mask\[mask == 255\] = 1'):
        tool(tmp_path / 'pred', tmp_path / 'gt', '--num-classes', '2', '--num-workers', '0')


def test_predictions_of_0_and_255_are_told(tmp_path, tool, capsys):
    write_white(tmp_path / 'pred', 'ab')
    for image_id in 'ab':
        write_mask(tmp_path / 'gt' / f'{image_id}.png', np.eye(40, 48, dtype=np.uint8), [(0, 0, 0)] * 2)
    tool(tmp_path / 'pred', tmp_path / 'gt', '--num-classes', '2', '--num-workers', '0')
    assert f'warning: {tmp_path}/pred: the masks (2) hold nothing but 0 and 255' in capsys.readouterr().out


def test_a_class_that_is_missing_while_255_fills_much_is_told(folders):
    comparison = compared(*folders[:2])
    assert comparison.warnings() == []
    comparison.ignored += 10 * int(comparison.confusion.sum())
    (warning,) = comparison.warnings()
    assert warning.startswith("class 'cow' is in no mask") and '91% of the masks' in warning
