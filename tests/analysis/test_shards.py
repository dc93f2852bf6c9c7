"""A list of images in pieces, each tested by itself: same files, same figures as in one go."""

import importlib.util
import json
from pathlib import Path

import pytest
import torch
from mmengine.config import Config
from mmseg.registry import MODELS

from mmwsss.analysis.shards import merge_shards
from mmwsss.engine import launch
from mmwsss.engine.tool_options import set_output_dir
from mmwsss.fileio import DataError

ROOT = Path(__file__).parents[2]
LABELS = [['disc'], ['stripe', 'box'], [], ['disc', 'stripe', 'box'], ['box']]


@pytest.fixture
def merge_tool():
    spec = importlib.util.spec_from_file_location('merge_shards', ROOT / 'tools/analysis_tools/merge_shards.py')
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.main


@pytest.fixture
def run_test(tmp_path, image_set, cam_config, mmseg_scope):
    """``run_test(work_dir, list)`` infers seeds of the images of a list, in this process."""
    data = image_set(LABELS, ((40, 56), (31, 45)))
    model = cam_config(3, scales=(1.0,), flip=False, seed_stride=4)
    dataset = dict(
        type='mmwsss.ImageLabelDataset',
        dataset=data.dataset,
        image_labels=data.labels,
        pipeline=[dict(type='mmwsss.LoadImageFromFile'), dict(type='mmwsss.PackWeakInputs')],
        test_mode=True,
    )
    config = dict(
        default_scope='mmseg',
        model=model,
        test_dataloader=dict(
            batch_size=1, num_workers=0, sampler=dict(type='DefaultSampler', shuffle=False), dataset=dataset
        ),
        test_evaluator=[
            dict(type='mmwsss.SeedMetric'),
            dict(type='mmwsss.PseudoMaskMetric', chain='masks'),
        ],
        test_cfg=dict(
            type='mmwsss.LabelLoop',
            chains=dict(
                masks=dict(
                    refiners=[dict(type='mmwsss.Background', score=0.3)], labeler=dict(type='mmwsss.ArgmaxLabeler')
                )
            ),
        ),
    )
    Config(config).dump(tmp_path / 'infer.py')
    torch.manual_seed(0)
    torch.save(dict(state_dict=MODELS.build(model).state_dict()), tmp_path / 'model.pth')

    def run(work_dir, images, out):
        options = {'test_dataloader.dataset.dataset.ann_file': str(images)}
        cfg = launch.load_config(str(tmp_path / 'infer.py'), options=options)
        cfg.launcher, cfg.work_dir = 'none', str(work_dir)
        set_output_dir(cfg, str(out))
        return launch.test(cfg, str(tmp_path / 'model.pth'))

    return run, data.root / 'list.txt'


def files_of(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob('*.*') if path.is_file()}


def test_shards_give_what_one_run_gives_and_a_lost_one_runs_again(tmp_path, run_test, merge_tool, capsys):
    run, images = run_test
    whole = run(tmp_path / 'whole', images, tmp_path / 'whole_out')
    ids = images.read_text().splitlines()
    lists = [tmp_path / f'{number}.txt' for number in range(3)]
    for number, file in enumerate(lists):
        file.write_text('\n'.join(ids[number::3]))
        run(tmp_path / 'shards' / file.stem, file, tmp_path / 'out')

    # The machine of shard 1 died before it wrote all its files.
    (tmp_path / 'shards/1/metrics.json').unlink()
    (tmp_path / 'out/SeedMetric/sub/p1.npz').unlink()
    folders = [str(folder) for folder in sorted((tmp_path / 'shards').iterdir())]
    with pytest.raises(SystemExit) as ended:
        merge_tool(folders)
    assert ended.value.code == 1
    assert f'2 of 3 shards are finished\nTo run again:\n{folders[1]}\n' in capsys.readouterr().out

    run(folders[1], lists[1], tmp_path / 'out')
    merge_tool([*folders, '--out', str(tmp_path / 'figures.json')])
    figures = json.loads((tmp_path / 'figures.json').read_text())
    assert figures == {'cam': pytest.approx(whole['cam/mIoU']), 'masks': pytest.approx(whole['masks/mIoU'])}
    expected = json.loads((tmp_path / 'whole/confusions.json').read_text())
    for name, confusion in merge_shards(folders).confusions.items():
        assert confusion.tolist() == expected[name]['counts']
    assert files_of(tmp_path / 'out') == files_of(tmp_path / 'whole_out')


def test_shards_of_different_classes_are_refused(tmp_path):
    for number, counts in enumerate([[[1, 0], [0, 1]], [[1]]]):
        folder = tmp_path / str(number)
        folder.mkdir()
        (folder / 'metrics.json').write_text('{}')
        recorded = dict(walk=dict(classes=['a', 'b'][: len(counts)], counts=counts))
        (folder / 'confusions.json').write_text(json.dumps(recorded))
    with pytest.raises(DataError, match=r"1: walk is of the classes \['a'\], other shards of \['a', 'b'\]"):
        merge_shards([tmp_path / '0', tmp_path / '1'])
    (tmp_path / '0/confusions.json').write_text('[1')
    with pytest.raises(DataError, match=r'confusions\.json: expected the confusions'):
        merge_shards([tmp_path / '0'])
    with pytest.raises(DataError, match='got none'):
        merge_shards([])
