import pytest

from mmwsss.datasets.csv_labels import decode_csv, is_no_name, parse_csv_labels
from mmwsss.fileio import DataError

LABELS = {'a.jpg': ['cat'], 'b.jpg': ['cat', 'hot dog'], 'c.jpg': []}

TABLES = {
    'a row an image': 'a.jpg,cat\nb.jpg,cat,hot dog\nc.jpg\n',
    'with a header': 'filename,labels\na.jpg,cat\nb.jpg,cat,hot dog\nc.jpg,\n',
    'with a header of many columns': 'image,label 1,label 2\na.jpg,cat,\nb.jpg,cat,hot dog\nc.jpg,,\n',
    'semicolons': 'a.jpg;cat;\nb.jpg;cat;hot dog\nc.jpg;;\n',
    'tabs': 'a.jpg\tcat\nb.jpg\tcat\thot dog\nc.jpg\t\n',
    'a stated separator': 'sep=;\na.jpg;cat\nb.jpg;cat,hot dog\nc.jpg;\n',
    'tags in a cell, quoted': 'a.jpg,cat\nb.jpg,"cat, hot dog"\nc.jpg,""\n',
    'tags in a cell, by semicolons': 'a.jpg,cat\nb.jpg,cat;hot dog\nc.jpg,\n',
    'tags in a cell, by bars': 'a.jpg,cat\nb.jpg,cat | hot dog\nc.jpg,\n',
    'tags in a cell, in lines': 'a.jpg,cat\nb.jpg,"cat\nhot dog"\nc.jpg,\n',
    'semicolons, and commas in all cells': 'a.jpg;cat,\nb.jpg;cat,hot dog\nc.jpg;,\n',
    'a row a tag': 'image,tag\na.jpg,cat\nb.jpg,cat\nb.jpg,hot dog\nb.jpg,cat\nc.jpg,\n',
    'a column a class': 'image,cat,hot dog,cow\na.jpg,1,0,0\nb.jpg,1,1,0\nc.jpg,0,0,0\n',
    'truth values': 'Bild;cat;hot dog\na.jpg;True;False\nb.jpg;TRUE;true\nc.jpg;false;False\n',
    'crosses': ',cat,hot dog\na.jpg,x,\nb.jpg,X,x\nc.jpg,,\n',
    'quoted cells': '"image","cat","hot dog"\n"a.jpg","1","0"\n"b.jpg","1","1"\n"c.jpg","0","0"\n',
    'short rows': 'image,cat,hot dog\na.jpg,1\nb.jpg,1,1\nc.jpg\n',
    'empty lines': '\n\na.jpg,cat\n,,\nb.jpg,cat,hot dog\nc.jpg\n\n',
}


@pytest.mark.parametrize('text', TABLES.values(), ids=TABLES)
@pytest.mark.parametrize('line_end', ['\n', '\r\n'])
def test_tables_say_the_same(text, line_end):
    assert parse_csv_labels('l.csv', text.replace('\n', line_end)) == LABELS


def test_a_name_in_quotes_may_hold_a_separator():
    assert parse_csv_labels('l.csv', '"a,1.jpg";cat\n"b,2.jpg";cat\n') == {'a,1.jpg': ['cat'], 'b,2.jpg': ['cat']}


def test_class_names_like_answers_are_names_under_a_header_that_says_labels():
    assert parse_csv_labels('l.csv', 'image,label\na,x\nb,y\n') == {'a': ['x'], 'b': ['y']}


def test_without_a_header_numbers_stay_what_they_are():
    assert parse_csv_labels('l.csv', 'a,1,0\nb,0,1\n') == {'a': ['1', '0'], 'b': ['0', '1']}


@pytest.mark.parametrize('text', ['', '\n\n', 'image,labels\n'])
def test_nothing(text):
    assert parse_csv_labels('l.csv', text) == {}


@pytest.mark.parametrize(
    'text, message',
    [
        ('image,cat\na,1\na,0\n', "row 3 repeats the image id 'a'"),
        ('a,cat,dog\nb,dog\na,dog\n', "row 3 repeats the image id 'a'"),
        ('a,cat\nb,dog\na,cat,dog\n', "row 3 repeats the image id 'a'"),
        ('image,cat,dog\na,1,0,1\n', 'row 2 has 4 cells, but the header has 3'),
        ('image,cat\n,1\n', 'row 2 has no image id'),
        ('a,cat\n\n,dog\n', 'row 3 has no image id'),
    ],
)
def test_a_row_that_cannot_be_right_is_named(text, message):
    with pytest.raises(DataError, match=f'^l.csv: {message}$'):
        parse_csv_labels('l.csv', text)


@pytest.mark.parametrize('encoding', ['utf-8', 'utf-8-sig', 'utf-16'])
def test_encodings_of_spreadsheets(encoding):
    assert decode_csv('é,cat'.encode(encoding)) == 'é,cat'


def test_another_encoding_is_none():
    with pytest.raises(UnicodeDecodeError):
        decode_csv('é,cat'.encode('latin-1'))


@pytest.mark.parametrize(
    'name, expected', [('1', True), ('0.5', True), ('-3', True), ('True', True), ('class 1', False)]
)
def test_numbers_are_no_names(name, expected):
    assert is_no_name(name) is expected
