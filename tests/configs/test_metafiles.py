"""The index of methods: every method has one, and its files exist. `tests/zoo` compares its figures with the grid."""

from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
METAFILES = yaml.safe_load((ROOT / 'model-index.yml').read_text(encoding='utf-8'))['Import']


def test_every_method_has_a_metafile_in_the_index():
    methods = sorted(path.parent for path in ROOT.glob('configs/*/README.md'))
    assert sorted(METAFILES) == [f'{path.relative_to(ROOT)}/metafile.yml' for path in methods]


@pytest.mark.parametrize('metafile', METAFILES)
def test_files_exist(metafile):
    content = yaml.safe_load((ROOT / metafile).read_text(encoding='utf-8'))
    collections = {one['Name']: one for one in content['Collections']}
    assert all((ROOT / one['README']).is_file() for one in collections.values())
    names = [model['Name'] for model in content['Models']]
    assert len(set(names)) == len(names) > 0
    for model in content['Models']:
        assert model['In Collection'] in collections
        assert (ROOT / model['Config']).is_file()
        assert Path(model['Config']).parts[1] == Path(metafile).parts[1]
        # Weights that somebody published come with their hash.
        assert ('Weights' in model) <= ('Weights SHA256' in model['Metadata'])
