import pytest

from mmwsss.converters.annotations import LabelSet, labels_of_config
from mmwsss.fileio import DataError


def test_values_have_names_and_colors():
    labels = LabelSet(['background', 'cat'], [[1, 2, 3], [4, 5, 6]])
    assert labels.with_background and labels.unannotated == 0 and labels.annotated() == [1, 255]
    assert labels.annotated(has_ignored=False) == [1]
    assert labels.name_of(1) == 'cat' and labels.color_of(1) == (4, 5, 6)
    assert labels.value_of('ignored', 'a') == 255 and labels.color_of(255) == (224, 224, 192)
    with pytest.raises(DataError, match="a.json: label 'dog' is no class; expected one of"):
        labels.value_of('dog', 'a.json')


def test_without_a_background_the_rest_has_no_class():
    labels = LabelSet(['sky', 'road'])
    assert labels.unannotated == 255 and labels.annotated() == [0, 1]
    assert LabelSet(['stuff', 'cat'], with_background=True).annotated() == [1, 255]


@pytest.mark.parametrize('palette', [[[1, 1, 1], [1, 1, 1]], [[1, 1, 1], [224, 224, 192]], [[1, 1, 1]]])
def test_colors_that_say_too_little_are_replaced(palette):
    assert LabelSet(['background', 'cat'], palette).palette == [(0, 0, 0), (128, 0, 0)]


def test_names_that_cannot_be_labels_are_refused():
    with pytest.raises(DataError, match="--classes: expected at most 254 classes, none called 'ignored'"):
        LabelSet(['background', 'ignored'])
    with pytest.raises(DataError, match='--classes: expected each class once'):
        LabelSet(['a', 'a'])


def test_classes_of_a_config(image_set):
    from mmengine.config import Config

    images = image_set([['disc'], ['box']])
    wrapped = dict(type='mmwsss.ImageLabelDataset', dataset=images.dataset, pseudo_mask_dir='nowhere')
    labels, folder = labels_of_config(Config(dict(train_dataloader=dict(dataset=wrapped))))
    assert tuple(labels.classes) == images.classes and folder == str(images.root / 'images')
    with pytest.raises(DataError, match='config: expected a train_dataloader or test_dataloader with a data set'):
        labels_of_config(Config(dict(train_dataloader=None)))
