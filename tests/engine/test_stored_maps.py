import pytest
from mmengine.config import Config

from mmwsss.engine.stored_maps import use_stored_maps
from mmwsss.fileio import DataError

WALK = dict(type='mmwsss.RandomWalk', beta=8)
COSINE = dict(type='mmwsss.CosineAffinity')
LABELER = dict(type='mmwsss.ArgmaxLabeler')


@pytest.fixture
def make(tmp_path):
    """``make(refiners=..., **values)``: config of a stage that wrote its seeds."""

    def config(refiners=(), **values):
        (tmp_path / 'seeds').mkdir(exist_ok=True)
        return Config(
            dict(
                dict(
                    work_dir=str(tmp_path),
                    model=dict(type='mmwsss.CAMClassifier'),
                    train_cfg=dict(max_iters=1),
                    test_dataloader=dict(dataset=dict(pipeline=[dict(type='Load'), dict(type='Pack')])),
                    test_cfg=dict(type='mmwsss.LabelLoop', fp16=True, chains=dict(a=dict(refiners=list(refiners), labeler=LABELER))),
                    test_evaluator=[dict(type='mmwsss.SeedMetric', output_dir='seeds'), dict(type='mmwsss.PseudoMaskMetric', output_dir='masks')],
                    default_hooks=dict(fuse=dict(type='mmwsss.FuseConvBNHook'), progress=dict(type='mmwsss.ProgressHook')),
                    custom_hooks=[dict(type='EMAHook')],
                ),
                **values,
            )
        )  # fmt: skip

    return config


def test_a_localizer_goes_on_from_the_seeds_that_it_wrote(make, tmp_path):
    cfg = make()
    use_stored_maps(cfg)
    assert cfg.model == dict(type='mmwsss.StoredMaps', affinity_dir=None, feature_dir=None) and cfg.train_cfg is None
    assert cfg.test_dataloader.dataset.seed_dir == str(tmp_path / 'seeds')
    assert [one.type for one in cfg.test_dataloader.dataset.pipeline] == ['Load', 'mmwsss.LoadSeeds', 'Pack']
    # What is read is not written again; what the chains make of it is.
    assert [one.get('output_dir') for one in cfg.test_evaluator] == [None, 'masks']
    assert list(cfg.default_hooks) == ['progress'] and cfg.custom_hooks == [] and cfg.test_cfg.fp16 is False


def test_an_affinity_stage_goes_on_from_seeds_and_stored_affinities(make, tmp_path):
    (tmp_path / 'affinities').mkdir()
    pipeline = [dict(type='Load'), dict(type='mmwsss.LoadSeeds'), dict(type='Pack')]
    cfg = make([WALK], test_dataloader=dict(dataset=dict(seed_dir='given', pipeline=pipeline)))
    cfg.test_cfg.affinity_dir = 'affinities'
    use_stored_maps(cfg)
    assert cfg.model.affinity_dir == str(tmp_path / 'affinities') and cfg.test_cfg.affinity_dir is None
    assert cfg.test_dataloader.dataset.seed_dir == 'given' and len(cfg.test_dataloader.dataset.pipeline) == 3
    other = make([WALK])
    use_stored_maps(other, str(tmp_path / 'affinities'))
    assert other.model.affinity_dir == str(tmp_path / 'affinities')


def test_a_chain_goes_on_from_stored_features(make, tmp_path):
    (tmp_path / 'features').mkdir()
    cfg = make([COSINE])
    cfg.test_cfg.feature_dir = 'features'
    use_stored_maps(cfg)
    assert cfg.model.feature_dir == str(tmp_path / 'features') and cfg.test_cfg.feature_dir is None


def test_a_stage_without_a_network_keeps_what_it_takes(make, tmp_path):
    cfg = make([COSINE], model=dict(type='mmwsss.StoredMaps', feature_dir=str(tmp_path)))
    use_stored_maps(cfg)
    assert cfg.model.feature_dir == str(tmp_path)


@pytest.mark.parametrize(
    'refiners, values, message',
    [
        ([COSINE], {}, 'a label chain needs features, expected a folder .* test_cfg.feature_dir=features'),
        ([WALK], {}, 'a label chain needs affinities, expected a folder that tools/test.py stored'),
        ([], dict(test_evaluator=[dict(type='mmwsss.PseudoMaskMetric')]), 'expected seed_dir of the test data set, or a SeedMetric'),
        ([], dict(test_evaluator=[dict(type='mmwsss.SeedMetric', output_dir='no')]), 'no: expected seeds that tools/test.py wrote'),
        ([], dict(test_cfg=dict(type='TestLoop')), 'expected test_cfg.type mmwsss.LabelLoop'),
    ],
)  # fmt: skip
def test_what_was_not_stored_is_told(make, refiners, values, message):
    with pytest.raises(DataError, match=message):
        use_stored_maps(make(refiners, **values))


def test_witnesses_need_what_was_stored_too(make, tmp_path):
    cfg = make()
    cfg.test_cfg.chains.a.witnesses = [0, dict(refiners=[COSINE])]
    with pytest.raises(DataError, match='a label chain needs features'):
        use_stored_maps(cfg)
    (tmp_path / 'stored').mkdir()
    use_stored_maps(cfg, feature_dir=str(tmp_path / 'stored'))
    assert cfg.model.feature_dir == str(tmp_path / 'stored')


def test_variants_of_images_are_not_made_where_no_network_looks(make):
    variants = dict(type='TestTimeAug', transforms=[])
    cfg = make(test_dataloader=dict(dataset=dict(pipeline=[dict(type='Load'), variants])))
    use_stored_maps(cfg)
    kinds = [one.type for one in cfg.test_dataloader.dataset.pipeline]
    assert kinds == ['Load', 'mmwsss.LoadSeeds', 'mmwsss.PackWeakInputs']


def test_a_metric_that_only_wrote_seeds_goes(make):
    seeds = dict(type='mmwsss.SeedMetric', output_dir='seeds', format_only=True)
    cfg = make(test_evaluator=[seeds, dict(type='mmwsss.PseudoMaskMetric', output_dir='masks')])
    use_stored_maps(cfg)
    assert [one.type for one in cfg.test_evaluator] == ['mmwsss.PseudoMaskMetric']
