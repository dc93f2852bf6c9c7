import pytest
from mmseg.registry import DATASETS

from mmwsss.datasets.class_names import check_class_names
from mmwsss.fileio import DataError

pytestmark = pytest.mark.usefixtures('mmseg_scope')

WRONG = {
    'twice': (['background', 'cat', 'cat'], "each class once, found 'cat' several times"),
    'one text': ('cat', r"a list of class names, such as \['background', 'cat'\], got 'cat'"),
    'one class': (['cat'], "two classes at least.*'background' is the first"),
    'only the background': (['background'], 'two classes at least'),
    'a number': (['background', 1], r'names of classes in quotes, in a config file, got 1 \(int\)'),
    'nothing': (['background', None], r'in quotes, in a config file, got None \(NoneType\)'),
    'a truth value': (['background', True], r'in quotes, in a config file, got True \(bool\)'),
    'an empty name': (['background', ' '], r"in quotes, in a config file, got ' ' \(str\)"),
    'none': ([], 'expected class names under classes of metainfo'),
}


@pytest.mark.parametrize('classes, message', WRONG.values(), ids=WRONG)
def test_what_is_no_list_of_names_is_refused(classes, message):
    with pytest.raises(DataError, match=f'^here: .*{message}'):
        check_class_names(classes, 'here')


@pytest.mark.parametrize('classes', [('background', '1'), ['None', 'True'], ['cat', 'Cat']])
def test_any_text_is_a_name(classes):
    check_class_names(classes, 'here')


@pytest.mark.parametrize('kind', ['BaseSegDataset', 'PascalVOCDataset', 'mmwsss.FolderDataset'])
@pytest.mark.parametrize('classes, message', WRONG.values(), ids=WRONG)
def test_a_data_set_refuses_them(image_set, kind, classes, message):
    wrapped = {**image_set([['disc']]).dataset, 'type': kind, 'metainfo': dict(classes=classes)}
    with pytest.raises(DataError, match=message):
        DATASETS.build(dict(type='mmwsss.ImageLabelDataset', dataset=wrapped))


def test_classes_may_be_a_file(image_set, tmp_path):
    data = image_set([['disc']])
    (tmp_path / 'classes.txt').write_text('background\ndisc\n')
    wrapped = {**data.dataset, 'type': 'mmwsss.FolderDataset', 'metainfo': dict(classes=str(tmp_path / 'classes.txt'))}
    dataset = DATASETS.build(dict(type='mmwsss.ImageLabelDataset', dataset=wrapped))
    assert dataset.foreground == ('disc',) and len(dataset.metainfo['palette']) == 2
