"""The index of methods: its files exist, and its figures are those of the method's README."""

import re
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
METAFILES = yaml.safe_load((ROOT / 'model-index.yml').read_text(encoding='utf-8'))['Import']


def test_every_metafile_is_in_the_index():
    assert sorted(METAFILES) == sorted(str(path.relative_to(ROOT)) for path in ROOT.glob('configs/*/metafile.yml'))


@pytest.mark.parametrize('metafile', METAFILES)
def test_files_exist_and_figures_stand_in_the_readme(metafile):
    content = yaml.safe_load((ROOT / metafile).read_text(encoding='utf-8'))
    collections = {one['Name']: one for one in content['Collections']}
    names = [model['Name'] for model in content['Models']]
    assert len(set(names)) == len(names) > 0
    for model in content['Models']:
        assert (ROOT / model['Config']).is_file()
        readme = (ROOT / collections[model['In Collection']]['README']).read_text(encoding='utf-8')
        figures = set(re.findall(r'(?<=\| )\d+\.\d+(?= \|)', readme))
        for result in model['Results']:
            assert {str(value) for value in result['Metrics'].values()} <= figures, (model['Name'], result)
