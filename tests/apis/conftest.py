"""Three tiny stages, trained on a folder of images as users have them."""

from pathlib import Path
from types import SimpleNamespace

import pytest
from mmengine.runner import Runner

from mmwsss.engine.launch import load_config

STAGES = Path(__file__).parents[1] / 'data' / 'stages'


@pytest.fixture
def run_stage(tmp_path, plain_config_text):
    """``run_stage(name, data_root, options)`` trains and tests a stage; gives its config and its figures."""

    def run(name, data_root, options=None, test=True):
        cfg = load_config(str(STAGES / f'{name}.py'), options, str(data_root), str(tmp_path / 'run'))
        cfg.experiment_name = f'{tmp_path.name}_{name}'
        Runner.from_cfg(cfg).train()
        tested = cfg.copy()
        tested.load_from = f'{cfg.work_dir}/final.pth'
        tested.experiment_name += '_test'
        figures = Runner.from_cfg(tested).test() if test else {}
        return SimpleNamespace(config=cfg, checkpoint=tested.load_from, work_dir=Path(cfg.work_dir), figures=figures)

    return run
