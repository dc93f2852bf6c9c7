"""Features on their way from a localizer to the chains, beside the network and from files."""

import numpy as np
import pytest
from mmengine.runner import Runner

from mmwsss.fileio import read_features, read_mask

LABELS = [['disc'], ['stripe', 'box'], []]
LOADING = [dict(type='mmwsss.LoadImageFromFile')]
CHAINS = dict(
    spread=dict(
        refiners=[
            dict(type='mmwsss.CosineAffinity'),
            dict(type='mmwsss.Normalize'),
            dict(type='mmwsss.Background', score=0.3),
        ],
        labeler=dict(type='mmwsss.ArgmaxLabeler'),
    )
)


@pytest.fixture
def data(image_set):
    return image_set(LABELS)


@pytest.fixture
def run_test(data, tmp_path, cam_config, mmseg_scope):
    """``run_test(name, model, seed_dir, **test_cfg)`` runs a chain that needs features and gives the work directory."""

    def run(name, model=None, seed_dir=None, **test_cfg):
        loading = LOADING if seed_dir is None else [*LOADING, dict(type='mmwsss.LoadSeeds')]
        dataset = dict(
            type='mmwsss.ImageLabelDataset',
            dataset=data.dataset,
            image_labels=data.labels,
            seed_dir=seed_dir,
            pipeline=[*loading, dict(type='mmwsss.PackWeakInputs')],
            test_mode=True,
        )
        evaluators = [dict(type='mmwsss.PseudoMaskMetric', chain='spread', output_dir='masks')]
        if seed_dir is None:
            evaluators.append(dict(type='mmwsss.SeedMetric', output_dir='seeds'))
        config = dict(
            model=model or dict(cam_config(scales=(1,), seed_stride=4), feature_index=2),
            work_dir=str(tmp_path / name),
            test_dataloader=dict(
                batch_size=1, num_workers=0, sampler=dict(type='DefaultSampler', shuffle=False), dataset=dataset
            ),
            test_cfg=dict(type='mmwsss.LabelLoop', chains=CHAINS, **test_cfg),
            test_evaluator=evaluators,
            randomness=dict(seed=0),
            default_scope='mmseg',
            experiment_name=name,
            log_level='ERROR',
        )
        runner = Runner(**config, cfg=config)
        runner.model.init_weights()
        runner.test()
        return tmp_path / name

    return run


def masks_of(folder, data):
    return [read_mask(folder / 'masks' / f'{image_id}.png') for image_id in data.ids]


def test_another_process_and_stored_features_give_the_same(run_test, data):
    alone = run_test('alone', feature_dir='features')
    beside = run_test('beside', num_workers=1)
    stored = dict(type='mmwsss.StoredMaps', feature_dir=str(alone / 'features'))
    again = run_test('again', model=stored, seed_dir=str(alone / 'seeds'))
    assert not (beside / 'features').exists()
    assert read_features(alone / 'features' / f'{data.ids[0]}.npz').shape == (32, 5, 7)
    for expected, *others in zip(*(masks_of(folder, data) for folder in (alone, beside, again)), strict=True):
        assert all(np.array_equal(expected, other) for other in others)


def test_a_chain_without_its_features_says_so(run_test, cam_config):
    with pytest.raises(ValueError, match='CosineAffinity of a label chain needs the features of each image'):
        run_test('without', model=cam_config(scales=(1,), seed_stride=4))
