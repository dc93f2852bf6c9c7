import pytest
import yaml

from mmwsss.fileio import DataError
from mmwsss.zoo.metafiles import fill_metafile
from mmwsss.zoo.rows import Row

CONFIG = 'configs/fast/cats/net/segmentor.py'
TEXT = f"""# A comment.
# Another one.
Collections:
  - Name: Fast
    README: configs/fast/README.md
Models:
  - Name: one
    In Collection: Fast
    Config: {CONFIG}
    Metadata:
      Training Data: Cats
      Seeds: [7]
      Weights SHA256: abc
    Results:
      - Task: Old
    Weights: https://a/b.pth
  - Name: two
    Config: configs/fast/dogs/net/segmentor.py
    Metadata:
      Training Data: Dogs
      Command: old
    Results:
      - Task: Old
"""


def row(seed, rung, value, stage, **values):
    config = CONFIG.replace('segmentor', stage)
    plain = dict(
        method='fast', data='cats', commit='abc', command='python run', memory_mb=900 + seed, total_seconds=90.0
    )
    return Row(seed=seed, rung=rung, mIoU=value, stage=stage, config=config, measured_on='a.txt', **{**plain, **values})


ROWS = [
    row(0, 'cam', 50.0, 'cam'),
    row(0, 'cam_best', 59.0, 'cam', picked=True),
    row(0, 'segmentor', 70.0, 'segmentor'),
    row(1, 'cam', 51.0, 'cam'),
    row(1, 'segmentor', None, 'segmentor'),
    row(0, 'cam', 1.0, 'cam', variant='worse'),
    row(0, 'segmentor', 2.0, 'segmentor', variant='worse'),
    # Another method whose last stage is that of this one.
    row(0, 'segmentor', 3.0, 'segmentor', method='other'),
]


def test_figures_of_the_cells_of_a_model_are_filled_in():
    text = fill_metafile(TEXT, ROWS, 'metafile.yml')
    assert text.startswith('# A comment.\n# Another one.\nCollections:\n  - Name: Fast\n')
    assert fill_metafile(text, ROWS, 'metafile.yml') == text
    one, two = yaml.safe_load(text)['Models']
    assert one['Results'] == [
        dict(Task='Class Activation Maps', Dataset='Cats, a.txt', Metrics={'mIoU': 50.5}),
        dict(Task='Semantic Segmentation', Dataset='Cats, a.txt', Metrics={'mIoU': 70.0}),
    ]
    assert one['Metadata'] == {
        'Training Data': 'Cats',
        'Weights SHA256': 'abc',
        'Memory (MB)': 901,
        'Training Time (minutes)': 1.5,
        'Seeds': [0, 1],
        'Commit': 'abc',
        'Command': 'python run',
    }
    assert list(one)[-1] == 'Weights' and one['Weights'] == 'https://a/b.pth'
    # No row is of the other model, so that it has no figures any more.
    assert two == dict(Name='two', Config='configs/fast/dogs/net/segmentor.py', Metadata={'Training Data': 'Dogs'})


def test_rungs_beside_that_of_the_stage_keep_their_names():
    rows = [
        row(0, 'random_walk', 60.0, 'segmentor'),
        row(0, 'segmentor', 70.0, 'segmentor', commit='', version='0.1.0'),
    ]
    model = yaml.safe_load(fill_metafile(TEXT, rows, 'metafile.yml'))['Models'][0]
    assert model['Results'][0]['Metrics'] == {'mIoU, random walk': 60.0, 'mIoU': 70.0}
    assert model['Metadata']['Commit'] == 'abc, mmwsss 0.1.0'


@pytest.mark.parametrize('model', ['3', '{Name: a}', '{Config: cam.py}'])
def test_models_without_a_config(model):
    with pytest.raises(DataError, match=r'metafile\.yml: expected models with a Config such as configs/METHOD/cam\.py'):
        fill_metafile(f'Models:\n  - {model}\n', [], 'metafile.yml')


@pytest.mark.parametrize('text', ['Collections: []\n', 'Models: 3\n', '- a\n', 'a: [\n', ''])
def test_files_that_are_no_index(text):
    with pytest.raises(DataError, match=r'metafile\.yml: expected an index'):
        fill_metafile(text, [], 'metafile.yml')
