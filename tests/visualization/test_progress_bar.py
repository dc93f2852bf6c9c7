import io

from rich.console import Console

from mmwsss.visualization.progress_bar import track


def test_a_terminal_shows_how_many_are_done():
    stream = io.StringIO()
    console = Console(file=stream, force_terminal=True, width=90)
    assert list(track([3, 4], description='counting', console=console)) == [3, 4]
    assert 'counting' in stream.getvalue() and '2/2' in stream.getvalue()


def test_the_length_of_an_iterator_is_told():
    stream = io.StringIO()
    console = Console(file=stream, force_terminal=True, width=90)
    assert list(track(iter('abc'), total=3, console=console)) == ['a', 'b', 'c']
    assert '3/3' in stream.getvalue()


def test_a_log_file_stays_silent(capfd):
    assert list(track(range(3))) == [0, 1, 2]
    assert capfd.readouterr() == ('', '')
    stream = io.StringIO()
    assert list(track(range(3), console=Console(file=stream))) == [0, 1, 2]
    assert stream.getvalue() == ''
