import pytest
from mmengine.config import Config

from mmwsss.pipeline.fingerprint import digest_of_files, fingerprint, named_files, part_of_test, part_of_training

CONFIG = dict(
    data_root='data',
    work_dir='run/cam',
    model=dict(type='Model', backbone=dict(depth=18), test_cfg=dict(flip=True)),
    train_dataloader=dict(batch_size=2, num_workers=2, persistent_workers=True, dataset=dict(x=1)),
    val_dataloader=dict(dataset=dict(x=1)),
    test_dataloader=dict(num_workers=2, dataset=dict(x=1)),
    test_cfg=dict(type='mmwsss.LabelLoop', num_workers=1, chains=dict(a=dict(beta=1))),
    test_evaluator=[dict(type='mmwsss.SeedMetric', output_dir='seeds')],
    tta_pipeline=[dict(x=1)],
    train_cfg=dict(max_iters=4),
    default_hooks=dict(
        logger=dict(type='LoggerHook', interval=20),
        checkpoint=dict(type='CheckpointHook', interval=200),
        fuse=dict(type='mmwsss.FuseConvBNHook'),
    ),
    custom_hooks=[dict(type='EMAHook', momentum=0.1), dict(type='mmwsss.MapVisualizationHook', interval=5)],
    vis_backends=[dict(type='LocalVisBackend')],
    visualizer=dict(type='SegLocalVisualizer'),
    log_processor=dict(window_size=20),
    log_level='INFO',
    some_variable=1,
)


def fingerprints(**options):
    cfg = Config(CONFIG)
    cfg.merge_from_dict({name.replace('__', '.'): value for name, value in options.items()})
    return fingerprint(part_of_training(cfg), 'run', {}), fingerprint(part_of_test(cfg), 'run', {})


NEITHER = [
    dict(some_variable=2),
    dict(work_dir='elsewhere'),
    dict(log_level='ERROR'),
    dict(log_processor__window_size=1),
    dict(visualizer__type='Other'),
    dict(default_hooks__logger__interval=1),
    dict(default_hooks__checkpoint__interval=1),
    dict(default_hooks__more=dict(type='mmwsss.ProgressHook')),
    dict(custom_hooks__1__interval=1),
    dict(train_dataloader__num_workers=0),
    dict(test_dataloader__num_workers=0),
    dict(test_cfg__num_workers=0),
    dict(val_dataloader__dataset__x=2),
    dict(tta_pipeline=[]),
]
TRAINING = [dict(train_cfg__max_iters=5), dict(train_dataloader__batch_size=1), dict(train_dataloader__dataset__x=2)]
TEST = [
    dict(model__test_cfg__flip=False),
    dict(test_dataloader__dataset__x=2),
    dict(test_cfg__chains__a__beta=2),
    dict(test_evaluator__0__output_dir='other'),
    dict(test_tta=True),
    dict(default_hooks__fuse=None),
]
BOTH = [dict(model__backbone__depth=50), dict(custom_hooks__0__momentum=0.2), dict(default_scope='mmwsss')]


@pytest.mark.parametrize(
    'option, training, test',
    [
        *((option, False, False) for option in NEITHER),
        *((option, True, False) for option in TRAINING),
        *((option, False, True) for option in TEST),
        *((option, True, True) for option in BOTH),
    ],
)
def test_what_changes_a_training_and_a_test(option, training, test):
    before, after = fingerprints(), fingerprints(**option)
    assert (before[0] != after[0], before[1] != after[1]) == (training, test)


def test_augmentation_counts_where_it_is_asked_for():
    assert fingerprints(test_tta=True)[1] != fingerprints(test_tta=True, tta_pipeline=[])[1]


def test_the_folder_of_the_run_does_not_count():
    def of(folder):
        part = dict(model=dict(weights=f'{folder}/cam/final.pth'), other=f'{folder}s/x')
        return fingerprint(part, folder, {f'{folder}/cam/final.pth': 'abc'})

    assert of('run') != of('/elsewhere/run'), 'a folder beside it counts'
    part = dict(weights='run/cam/final.pth')
    moved = dict(weights='/m/cam/final.pth')
    assert fingerprint(part, 'run', {'run/x': 'a'}) == fingerprint(moved, '/m', {'/m/x': 'a'})


def test_what_is_read_counts():
    assert fingerprint({}, 'run', {'run/x': 'a'}) != fingerprint({}, 'run', {'run/x': 'b'})


def test_files_count_by_their_contents(tmp_path):
    (tmp_path / 'lists').mkdir()
    (tmp_path / 'lists/train.txt').write_text('a')
    (tmp_path / 'labels.json').write_text('{}')
    part = dict(
        mask_list='lists/train.txt',
        dataset=dict(data_root=str(tmp_path), labels=[f'{tmp_path}/labels.json', 's3://x/y.json', 'type.Name']),
    )
    assert sorted(set(named_files(part))) == [f'{tmp_path}/labels.json', f'{tmp_path}/lists/train.txt']
    before = fingerprint(part, 'run', {})
    (tmp_path / 'lists/train.txt').write_text('ab')
    assert fingerprint(part, 'run', {}) != before


def test_results_of_the_run_count_by_their_digest_alone(tmp_path):
    (tmp_path / 'weights.pth').write_text('a')
    part = dict(weights=f'{tmp_path}/weights.pth')
    before = fingerprint(part, str(tmp_path), {})
    (tmp_path / 'weights.pth').write_text('ab')
    assert fingerprint(part, str(tmp_path), {}) == before


def test_digest_of_a_folder_does_not_depend_on_where_it_is(tmp_path):
    digests = []
    for name in ('one', 'two'):
        (tmp_path / name / 'sub').mkdir(parents=True)
        for file, content in (('a.png', 'x'), ('sub/b.png', 'y')):
            (tmp_path / name / file).write_text(content)
        files = [str(path) for path in (tmp_path / name).rglob('*.png')]
        digests.append(digest_of_files(files, str(tmp_path / name)))
    assert digests[0] == digests[1]
    (tmp_path / 'two/a.png').write_text('z')
    assert digest_of_files(files, str(tmp_path / 'two')) != digests[0]
    assert digest_of_files(files[:1], str(tmp_path / 'two')) != digest_of_files(files, str(tmp_path / 'two'))
