"""A grid of two tiny methods: its cells, its run, and runs that are collected."""

import json
from pathlib import Path

import pytest

from mmwsss.fileio import DataError
from mmwsss.pipeline.command import Launcher
from mmwsss.pipeline.runner import Pipeline
from mmwsss.zoo.grid import collect, read_grid
from mmwsss.zoo.rows import read_rows

CELLS = [
    'plain/cats/net/seed0',
    'plain/cats/net/seed1',
    'plain/cats/net/longer_training/seed0',
    'other/dogs/net/seed0',
]
STATE = dict(version='0.1.0', commit='0123456789abcdef', changed=False)


@pytest.fixture(autouse=True)
def code(monkeypatch):
    monkeypatch.setattr('mmwsss.pipeline.runner.code_state', lambda: STATE)


def write_grid(text):
    Path('grid.py').write_text(text)
    return read_grid('grid.py')


def test_cells_are_all_combinations(folder):
    grid = read_grid('grid.py')
    assert grid.name == 'grid' and [cell.name for cell in grid.cells] == CELLS
    for stage in ('ann', 'bob'):
        (folder / f'configs/m/{stage}/n').mkdir(parents=True)
    grid = write_grid("grid = [dict(method='m', data=['ann', 'bob'], network=('n',), seeds=[3, 4])]")
    assert [cell.name for cell in grid.cells] == [
        f'm/{data}/n/seed{seed}' for data in ('ann', 'bob') for seed in (3, 4)
    ]
    assert grid.cells[-1].leaves == ('configs/m/bob/n',) and grid.peers == ()


def test_command_names_what_differs_and_no_folder_of_a_machine(folder):
    plain, seed1, longer, other = (cell.command() for cell in read_grid('grid.py').cells)
    assert plain == 'python tools/pipeline.py configs/plain --data-root DATA_ROOT --run-dir RUN_DIR'
    assert seed1 == f'{plain} --cfg-options cam.randomness.seed=1 segmentor.randomness.seed=1'
    assert longer == f'{plain} --cfg-options segmentor.train_cfg.max_iters=8'
    # Stages of two methods have folders of their own, which --run-dir cannot move.
    assert other == 'python tools/pipeline.py configs/plain/cam.py configs/other/segmentor.py --data-root DATA_ROOT'


@pytest.mark.parametrize(
    'text, message',
    [
        ('grid = []', r'grid\.py: expected grid, a list of dicts'),
        ('grid = [3]', r'grid\[0\]: expected a dict, got 3'),
        ("grid = [dict(method='plain', data='cats')]", r'grid\[0\]: expected network'),
        ("grid = [dict(method='a', data='b', network='c', sed=1)]", r"grid\[0\]: unknown key 'sed', expected one of"),
        (
            "grid = [dict(method='a', data='b', network='c')]",
            r'grid\[0\]: expected configs, configs/a/b/c is not there',
        ),
        (
            "grid = [dict(method='a', data='b', network='c', leaves='configs/plain')] * 2",
            'expected cells of different names, a/b/c/seed0 is there twice; give one a variant',
        ),
        ('grid = 1 / 0', r'grid\.py: the grid cannot be read \(ZeroDivisionError'),
        (
            "grid = [dict(method='a', data='b', network='c', leaves='configs/plain')]\npeers = [dict(method='x')]",
            r'peers\[0\]: expected data',
        ),
    ],
)
def test_grids_that_cannot_be_used(folder, text, message):
    with pytest.raises(DataError, match=message):
        write_grid(text)


def test_run_writes_a_row_for_each_rung(folder, run_of):
    lines = []
    assert run_of(read_grid('grid.py')).run(output=lines.append) == {}
    rows = read_rows('results.csv')
    assert [(row.method, row.variant, row.seed, row.rung, row.mIoU) for row in rows] == [
        ('Them', '', None, 'masks', 84.35),
        ('plain', '', 0, 'cam', 50.0),
        ('plain', '', 0, 'cam_best', 60.0),
        ('plain', '', 0, 'segmentor', 70.0),
        ('plain', '', 1, 'cam', 51.0),
        ('plain', '', 1, 'cam_best', 61.0),
        ('plain', '', 1, 'segmentor', 70.0),
        ('plain', 'longer training', 0, 'cam', 50.0),
        ('plain', 'longer training', 0, 'cam_best', 60.0),
        ('plain', 'longer training', 0, 'segmentor', 70.0),
        ('other', '', 0, 'cam', 50.0),
        ('other', '', 0, 'cam_best', 60.0),
        ('other', '', 0, 'segmentor', 70.0),
    ]
    cam, best = rows[4:6]
    assert cam.commit == '0123456789ab' and not cam.changed and cam.version == '0.1.0'
    assert (cam.stage, cam.config, cam.measured_on, cam.images) == ('cam', 'configs/plain/cam.py', 'data/cam.txt', 2)
    assert cam.memory_mb == 101 and cam.gpu_mb is None and cam.device and cam.cores >= 1 and cam.threads >= 1
    assert best.picked and not cam.picked and 'Masks train nothing' in cam.ground_truth
    assert rows[7].ground_truth.endswith('Masks picked max_iters.')
    assert 'cam.randomness.seed=1' in cam.command and f'{CELLS[1]}: {cam.command}' in lines


def test_runs_lie_in_folders_of_their_own_and_are_skipped_when_done(folder, runner, run_of):
    grid = read_grid('grid.py')
    run_of(grid).run(['plain'], output=lambda line: None)
    stages = ('cam', 'segmentor')
    assert runner.commands == [
        f'{tool} runs/{cell}/{stage}' for cell in CELLS[:3] for stage in stages for tool in ('train', 'test')
    ]
    runner.commands.clear()
    run_of(grid).run(output=lambda line: None)
    assert runner.commands == [
        f'{tool} work/{method}' for method in ('plain/cam', 'other/segmentor') for tool in ('train', 'test')
    ]


def test_the_rest_goes_on_where_a_cell_fails(folder, runner, run_of):
    grid = read_grid('grid.py')
    runner.failing = {f'runs/{CELLS[0]}/segmentor'}
    lines = []
    failed = run_of(grid).run(output=lines.append)
    assert list(failed) == [CELLS[0]] and 'what went wrong' in failed[CELLS[0]]
    assert any(line.startswith(f'{CELLS[0]}: failed: ') for line in lines)
    assert {(row.method, row.variant, row.seed) for row in read_rows('results.csv')} == {
        ('Them', '', None),
        ('plain', '', 1),
        ('plain', 'longer training', 0),
        ('other', '', 0),
    }
    runner.failing.clear()
    runner.commands.clear()
    assert run_of(grid).run([CELLS[0]], output=lambda line: None) == {}
    assert runner.commands == [f'{tool} runs/{CELLS[0]}/segmentor' for tool in ('train', 'test')]


def test_only_names_cells_or_their_folders(folder, run_of):
    grid = read_grid('grid.py')
    assert [cell.name for cell in grid.select(['plain/cats/net/seed1', 'other/'])] == [CELLS[1], CELLS[3]]
    with pytest.raises(DataError, match="--only: 'plai' is no cell; expected one of"):
        grid.select(['plai'])
    text = run_of(grid).describe(['plain/cats/net/seed1'])
    assert text.startswith(f'{CELLS[1]}:\n  cam: to run\n    python tools/train.py configs/plain/cam.py')
    assert not Path('runs').exists() and not Path('results.csv').exists()


@pytest.fixture
def ran(folder, runner):
    """``ran(*options)``: the results of the plain method, run by hand."""

    def run(*options, places=('configs/plain',)):
        pipeline = Pipeline(places, Launcher(Path('tools')), options, None, 'by_hand', runner=runner)
        return pipeline.run(output=lambda line: None)

    return run


def test_collects_runs_by_what_was_run(ran):
    grid = read_grid('grid.py')
    ran('cam.randomness.seed=1', 'segmentor.randomness.seed=1')
    assert collect(grid, ['by_hand'], 'results.csv') == {'by_hand': CELLS[1]}
    ran('segmentor.train_cfg.max_iters=8')
    assert collect(grid, ['by_hand'], 'results.csv') == {'by_hand': CELLS[2]}
    rows = read_rows('results.csv')
    assert [row.seed for row in rows] == [None, 1, 1, 1, 0, 0, 0]
    assert rows[-1].commit == '0123456789ab' and rows[-1].variant == 'longer training'
    # The same again takes the place of the same cell.
    collect(grid, ['by_hand'], 'results.csv')
    assert len(read_rows('results.csv')) == len(rows)


@pytest.mark.parametrize(
    'options, places',
    [
        (['segmentor.train_cfg.max_iters=9'], ['configs/plain']),
        (['cam.randomness.seed=1'], ['configs/plain']),
        ([], ['configs/plain/cam.py']),
    ],
)
def test_refuses_runs_of_no_cell(ran, options, places):
    ran(*options, places=places)
    with pytest.raises(DataError, match=r'by_hand/results\.json: expected leaves, options and seeds of a cell of grid'):
        collect(read_grid('grid.py'), ['by_hand'], 'results.csv')


def test_refuses_a_folder_without_results(folder):
    with pytest.raises(DataError, match=r'nothing/results\.json: expected the results of a run, found no such file'):
        collect(read_grid('grid.py'), ['nothing'], 'results.csv')


def test_code_that_no_record_says_has_to_be_stated(ran):
    ran()
    path = Path('by_hand/results.json')
    results = json.loads(path.read_text())
    results['made_by']['cam']['test'] = []
    del results['memory_mb'], results['measured_on']
    path.write_text(json.dumps(results))
    grid = read_grid('grid.py')
    with pytest.raises(DataError, match=r'expected the code that made stage cam; run it again, or state it: --commit'):
        collect(grid, ['by_hand'], 'results.csv')
    collect(grid, ['by_hand'], 'results.csv', commit='fedcba')
    cam, _, segmentor = read_rows('results.csv')[1:]
    assert cam.commit == '0123456789ab+fedcba (stated)' and segmentor.commit == '0123456789ab'
    assert cam.memory_mb is None and cam.measured_on == '' and cam.images is None
