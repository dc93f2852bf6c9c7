import pytest

from mmwsss.fileio import DataError
from mmwsss.zoo.rows import Row
from mmwsss.zoo.tables import describe, fill_tables, mean_and_spread, one_decimal

MACHINE = dict(device='Some CPU', cores=2, threads=1, version='0.1.0', command='python run', ground_truth='None.')


def row(seed, rung, value, stage='cam', **values):
    plain = dict(MACHINE, measured_on='lists/a.txt', images=1385, commit='abc', memory_mb=1000 + seed, network='net')
    return Row(
        'fast', data='cats', seed=seed, rung=rung, mIoU=value, stage=stage, seconds=60.0 + 60 * seed, total_seconds=300.0,
        **{**plain, **values},
    )  # fmt: skip


PEER = Row('Them', network='Huge', data='cats', rung='masks', mIoU=84.35, images=2, source='Their masks')
ROWS = [
    row(0, 'cam', 50.0),
    row(0, 'cam_best', 51.0, picked=True),
    row(1, 'cam', 52.0),
    row(0, 'segmentor', None, 'segmentor'),
    PEER,
]


def test_tables_of_figures_and_costs():
    text = describe(ROWS)
    assert text.splitlines() == [
        '| method | network | seeds | rung | mIoU | measured on |',
        '|---|---|---|---|---|---|',
        '| Them | Huge |  | masks | 84.4 | 2 images |',
        '| fast | net | 0, 1 | cam | 51.0 (50.0 to 52.0) | lists/a.txt, 1,385 images |',
        '| fast | net | 0 | cam best `*` | 51.0 | lists/a.txt, 1,385 images |',
        '| fast | net | 0 | segmentor | - | lists/a.txt, 1,385 images |',
        '',
        '`*` Of several settings the best one, picked with the masks that it is measured on.',
        '',
        '| method | network | stage | minutes | peak memory, MB | GPU memory, MB | machine |',
        '|---|---|---|---|---|---|---|',
        '| fast | net | cam | 1.5 | 1,001 |  | Some CPU, 2 cores, threads: 1 |',
        '| fast | net | segmentor | 1.0 | 1,000 |  | Some CPU, 2 cores, threads: 1 |',
        '| fast | net | all | 5.0 |  |  | Some CPU, 2 cores, threads: 1 |',
        '',
        '- Them, Huge: Their masks.',
        '- fast, net: commit abc; `python run`',
        '- Ground truth: None.',
    ]


def test_what_is_not_known_is_left_out():
    text = describe([row(0, 'cam', 1.0, commit='', threads=None, memory_mb=None, gpu_mb=77, network='', images=None)])
    assert '| fast |  | 0 | cam | 1.0 | lists/a.txt |' in text and '`*`' not in text
    assert '| fast |  | cam | 1.0 |  | 77 | Some CPU, 2 cores |' in text
    assert '- fast: commit mmwsss 0.1.0; `python run`' in text


def test_variants_and_changed_code_are_told():
    text = describe([row(0, 'cam', 1.0, variant='no PAR', changed=True), row(0, 'cam', 2.0)])
    assert '| fast, no PAR | net | 0 | cam | 1.0 |' in text and '| fast | net | 0 | cam | 2.0 |' in text
    assert '- fast, no PAR, net: commit abc (changed); ' in text


def test_costs_are_those_of_seeds_and_not_of_rungs():
    rows = [row(0, 'cam', 1.0), row(0, 'cam_best', 1.0), row(0, 'cam_crf', 1.0), row(1, 'cam', 1.0)]
    assert '| fast | net | cam | 1.5 |' in describe(rows)


def test_mean_and_spread():
    assert mean_and_spread([68.35]) == '68.4' and mean_and_spread([]) == '-'
    assert mean_and_spread([1.0, None, 2.0]) == '1.5 (1.0 to 2.0)'
    assert [one_decimal(value) for value in (0.25, 51.949999999999996, 100.0)] == ['0.3', '52.0', '100.0']


PAGE = 'Before.\n\n<!-- table: cats -->\nold\n<!-- end of table -->\n\nAfter.\n'


def test_regions_are_filled_and_the_rest_stays():
    text = fill_tables(PAGE, ROWS, 'page.md')
    assert text == PAGE.replace('old', f'\n{describe(ROWS)}\n')
    assert fill_tables(text, ROWS, 'page.md') == text
    both = PAGE + PAGE.replace('cats', 'dogs')
    other = Row('Them', data='dogs', rung='masks', mIoU=1.0, source='Theirs')
    assert describe([other]) in fill_tables(both, [*ROWS, other], 'page.md').partition('dogs')[2]


@pytest.mark.parametrize(
    'page, message',
    [
        (PAGE.replace('cats', 'dogs'), r'page\.md: expected rows of dogs, which a table is for; there are none'),
        (PAGE.replace('<!-- end of table -->\n', ''), r'page\.md: expected <!-- end of table --> after each'),
        (PAGE.replace('old', '<!-- table: dogs -->'), r'page\.md: expected <!-- end of table --> after each'),
    ],
)
def test_pages_that_cannot_be_filled(page, message):
    with pytest.raises(DataError, match=message):
        fill_tables(page, ROWS, 'page.md')
