import pytest

from mmwsss.datasets.imagenet import imagenet_indices, imagenet_names
from mmwsss.fileio import DataError


def test_there_are_a_thousand_classes_with_names_of_their_own():
    first = [names[0].casefold() for names in imagenet_names()]
    assert len(first) == len(set(first)) == 1000
    assert all(name == name.strip() and name for names in imagenet_names() for name in names)


@pytest.mark.parametrize(
    'index, name',
    [(0, 'tench'), (151, 'Chihuahua'), (281, 'tabby'), (340, 'zebra'), (569, 'garbage truck'), (999, 'toilet tissue')],
)
def test_the_order_is_that_of_the_synsets(index, name):
    assert imagenet_names()[index][0] == name


def test_every_first_name_and_every_synonym_of_one_class_finds_it():
    for index, names in enumerate(imagenet_names()):
        assert imagenet_indices([names[0].upper()]) == [index]
    assert imagenet_indices([' white   shark', 'TABBY CAT', 'Cardigan']) == [2, 281, 474]


@pytest.mark.parametrize(
    'tag, message',
    [
        ('panther', "'panther' may be 'cougar', 'jaguar'; expected one of these names"),
        ('goldn retriever', "none of ImageNet's 1,000 classes; there are 'golden retriever'$"),
        ('dog', "there are 'Maltese dog', .* and 8 more$"),
        ('qqqq', "'qqqq' is none of ImageNet's 1,000 classes$"),
        ('', 'is none of'),
    ],
)
def test_what_is_no_class_is_told_with_what_may_be_meant(tag, message):
    with pytest.raises(DataError, match=message):
        imagenet_indices([tag])
