import csv
import importlib.util
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from mmwsss.analysis.sweep import (
    Crf,
    Setting,
    SweepImage,
    combine_settings,
    refined_settings,
    run_sweep,
    samples_to_sweep,
    sweep_image,
    sweep_rows,
    sweep_table,
    write_plot,
    write_rows,
)
from mmwsss.fileio import (
    AffinityField,
    DataError,
    Seeds,
    read_affinity,
    read_image,
    read_seeds,
    write_affinity,
    write_seeds,
)
from mmwsss.ops import add_background, crop_to_covered, dense_crf, pool_to_cells, random_walk, resize_maps

ROOT = Path(__file__).parents[2]
CLASSES = ('background', 'disc', 'stripe', 'box')
LABELS = [['disc'], ['stripe', 'box'], []]


@pytest.fixture
def data(image_set):
    """Images with masks, seeds and affinities of three quarters of their size."""
    made, rng = image_set(LABELS, ((40, 56), (31, 45)), CLASSES), np.random.default_rng(0)
    for image_id, names in zip(made.ids, LABELS):
        size = made.masks[image_id].shape
        class_ids = np.array([CLASSES.index(name) for name in names], np.uint8)
        cams = rng.random((len(names), -(-size[0] // 4), -(-size[1] // 4))).astype(np.float16)
        write_seeds(made.root / 'seeds' / f'{image_id}.npz', Seeds(class_ids, cams, size))
        covered = tuple(round(0.75 * side) for side in size)
        cells = tuple(-(-side // 8) for side in covered)
        affinity = rng.random((12, *cells), np.float32) ** 0.2
        write_affinity(made.root / 'affinities' / f'{image_id}.npz', AffinityField(affinity, covered, 8))
    made.images = [
        SweepImage(
            str(made.root / f'seeds/{image_id}.npz'),
            str(made.root / f'affinities/{image_id}.npz'),
            str(made.root / f'images/{image_id}.jpg'),
            str(made.root / f'masks/{image_id}.png'),
        )
        for image_id in made.ids
    ]
    return made


def slow_mask(image, setting):
    """One setting alone, by hand."""
    seeds = read_seeds(image.seed_path)
    cams = resize_maps(torch.from_numpy(seeds.cams.astype(np.float32)), seeds.size)
    if setting.beta is not None:
        field = read_affinity(image.affinity_path)
        covered = resize_maps(torch.from_numpy(seeds.cams.astype(np.float32)), field.size)
        if setting.alpha:
            covered = add_background(covered, setting.alpha)
        grid, affinity = field.affinity.shape[1:], torch.from_numpy(field.affinity)[None]
        walked = random_walk(
            pool_to_cells(covered, grid, field.stride)[None], affinity, setting.beta, setting.num_steps
        )
        scores = resize_maps(crop_to_covered(walked[0], field.size, field.stride), seeds.size)
        if setting.background is not None:
            scores = add_background(scores, score=setting.background)
    else:
        scores = add_background(cams, setting.alpha, setting.background)
    scores = scores.numpy()
    if setting.crf:
        pixels = read_image(image.img_path)[:, :, ::-1].copy()
        scores = dense_crf(pixels, scores, setting.crf[0], bilateral=setting.crf[1])
    return np.array([0, *seeds.class_ids])[scores.argmax(0)]


def test_every_setting_is_as_if_alone(data):
    settings = combine_settings([2, 8], [0.4], [1, 6.5], [3, 10])
    assert len(settings) == len(set(settings)) == 15
    crf = Crf(2, (20, 10, 4))
    settings += [settings[0]._replace(crf=crf), settings[-1]._replace(crf=crf)]
    for image, mask in zip(data.images, data.masks.values()):
        confusions = sweep_image(image, settings, 4)
        for setting, confusion in zip(settings, confusions):
            expected = slow_mask(image, setting)
            valid = mask != 255
            counts = np.zeros((4, 5), int)
            np.add.at(counts, (mask[valid], expected[valid]), 1)
            # Rounding may move a pixel.
            assert np.abs(confusion - counts).sum() <= 0.002 * valid.sum(), setting


def test_seeds_with_the_background_in_front_are_none_to_sweep_over(data):
    image = data.images[0]
    seeds = read_seeds(image.seed_path)
    grid = seeds.cams.shape[1:]
    cams = np.concatenate([np.zeros((1, *grid), np.float16), seeds.cams])
    write_seeds(image.seed_path, seeds._replace(class_ids=np.append([0], seeds.class_ids), cams=cams))
    with pytest.raises(DataError, match='without the background, whose score a sweep tries'):
        sweep_image(image, combine_settings([4], [], [], []), 4)


def test_processes_add_up_the_same(data):
    settings = combine_settings([4], [0.5], [8], [16])
    one = run_sweep(data.images, settings, 4)
    np.testing.assert_array_equal(one, run_sweep(data.images, settings, 4, num_workers=2))
    np.testing.assert_array_equal(one, sum(sweep_image(image, settings, 4) for image in data.images))


def test_rows_are_ranked_and_say_so(data, tmp_path):
    settings = combine_settings([1, 4, 16], [0.5], [8], [4])
    rows = sweep_rows(settings, run_sweep(data.images, settings, 4), CLASSES)
    assert [row['rank_picked_with_masks'] for row in rows] == list(range(1, 9))
    assert [row['mIoU'] for row in rows] == sorted((row['mIoU'] for row in rows), reverse=True)
    assert all(f'IoU {name}' in rows[0] for name in CLASSES)
    crf = Crf(1, (10, 10, 1))
    (cam, walk) = refined_settings(rows, [crf], 1)
    best = {maps: next(row for row in rows if row['maps'] == maps) for maps in ('CAM', 'random walk')}
    assert cam == Setting(best['CAM']['alpha'], best['CAM']['background'], crf=crf)
    assert walk.beta == 8 and walk.alpha == best['random walk']['alpha'] and walk.crf == crf
    table = sweep_table(rows, 3)
    assert 'and 5 more' in table and 'picked with ground truth' in table
    write_rows(tmp_path / 'rows.csv', rows)
    with open(tmp_path / 'rows.csv') as file:
        read = list(csv.DictReader(file))
    assert [float(row['mIoU']) for row in read] == [row['mIoU'] for row in rows]
    write_plot(tmp_path / 'plot.svg', rows)
    assert (tmp_path / 'plot.svg').read_text().startswith('<?xml')


@pytest.mark.parametrize(
    'wrong', [dict(alphas=[0]), dict(backgrounds=[1.5]), dict(alphas=[1], betas=[-1], num_steps=[4]), {}]
)
def test_wrong_settings(wrong):
    with pytest.raises(DataError, match='must be positive|at least one'):
        combine_settings(**wrong)


def test_no_mask_and_missing_files(data):
    with pytest.raises(DataError, match='no image has one'):
        samples_to_sweep([dict(seg_map_path=None)], None)
    with pytest.raises(DataError, match='needs affinities'):
        run_sweep([replace(data.images[0], affinity_path=None)], combine_settings([4], [], [8], [4]), 4)
    Path(data.images[0].affinity_path).unlink()
    with pytest.raises(DataError, match=r'p0\.npz: expected affinities'):
        run_sweep(data.images, combine_settings([4], [], [8], [4]), 4)


def test_command_line(data, tmp_path, capsys, monkeypatch):
    spec = importlib.util.spec_from_file_location('sweep_tool', ROOT / 'tools/analysis_tools/sweep.py')
    tool = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(tool)
    dataset = dict(
        type='mmwsss.ImageLabelDataset',
        dataset=data.dataset,
        image_labels=data.labels,
        seed_dir=str(data.root / 'seeds'),
    )
    config = tmp_path / 'config.py'
    config.write_text(
        f"custom_imports = dict(imports=['mmwsss.registry'])\ntest_dataloader = dict(dataset={dataset!r})\n"
    )
    options = ['--alphas', '2', '8', '--backgrounds', '0.5', '--out', str(tmp_path / 'out'), '--num-workers', '0']
    walk = [
        '--betas',
        '4',
        '--num-steps',
        '2',
        '8',
        '--crf',
        '1:20,10,3',
        '--affinity-dir',
        str(data.root / 'affinities'),
    ]
    tool.main([str(config), *options, *walk])
    assert '9 settings on 3 images' in capsys.readouterr().out
    with open(tmp_path / 'out/sweep.csv') as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 11 and {row['crf'] for row in rows} == {'', '1:20,10,3'}
    assert (tmp_path / 'out/sweep.png').read_bytes().startswith(b'\x89PNG')
    with pytest.raises(DataError, match='--betas needs --affinity-dir'):
        tool.main([str(config), *options, '--betas', '4'])
    (data.root / 'seeds/p0.npz').unlink()
    with pytest.raises(DataError, match=r'1 are missing:\n.*p0\.npz'):
        tool.main([str(config), *options])
    for text in ('5', '5:1,2', '-1:1,2,3', 'x:1,2,3'):
        with pytest.raises(SystemExit):
            tool.parse_args(['c.py', '--crf', text])
