"""What a pipeline run was about, for its results and its report."""

from collections.abc import Sequence
from typing import Any

from mmwsss.engine.hooks.check_classes_hook import with_background

from .preflight import load_dataset
from .results import values
from .stages import Stage

FOLDERS = ('seed_dir', 'affinity_label_dir', 'pseudo_mask_dir')


def facts_of(stages: Sequence[Stage], data_root: str | None = None, run_dir: str | None = None) -> dict[str, Any]:
    """Leaves, options and folders of a run, and what its first test is about.

    Returns:
        dict: `leaves` and `options` by stage, `data_root` and `run_dir` as they were given, `seed`, `classes` and
        `with_background` of the data, `background_score`, and the folders of seeds, affinity labels and pseudo masks
        that stages read; what there is none of is left out.
    """
    facts: dict[str, Any] = dict(
        leaves={stage.name: stage.leaf for stage in stages},
        options={stage.name: list(stage.options) for stage in stages if stage.options},
        data_root=data_root,
        run_dir=run_dir,
        seed=(stages[0].cfg.get('randomness') or {}).get('seed'),
    )
    tested = next((stage for stage in stages if 'test' in stage.phases), None)
    if tested is not None:
        dataset, _ = load_dataset(
            tested.name, tested.cfg.get('test_dataloader'), tested.cfg.get('default_scope', 'mmseg')
        )
        metainfo = getattr(dataset, 'metainfo', {})
        facts['classes'] = list(metainfo.get('classes') or ())
        facts['with_background'] = with_background(metainfo)
    for key in FOLDERS:
        facts[key] = next(iter(value for stage in stages for value in values(stage.cfg, key)), None)
    facts['background_score'] = next(
        iter(value for stage in stages for value in values(stage.cfg.get('test_evaluator'), 'background_score')), None
    )
    return {name: value for name, value in facts.items() if value is not None}
