"""What `mmwsss run` prints, and how it ends."""

import argparse
from types import SimpleNamespace

import pytest

from mmwsss.commands import run
from mmwsss.pipeline.results import summarize
from mmwsss.pipeline.runner import LabelsRefused


@pytest.fixture
def tool(monkeypatch, tmp_path):
    """``tool(results, refused)`` runs the command on a pipeline that ends so; gives the flags of the pipeline."""

    def run_command(results, refused=None, flags=()):
        given = {}

        def run_stages(*_):
            if refused is not None:
                raise LabelsRefused(refused, results)
            return results

        def build(*_, **settings):
            given.update(settings)
            paths = dict(look_at_file=tmp_path / 'look_at.txt', results_folder=tmp_path)
            return SimpleNamespace(run=run_stages, stages=[], folders={}, **paths)

        monkeypatch.setattr('mmwsss.pipeline.runner.Pipeline', build)
        parser = argparse.ArgumentParser()
        run.add_arguments(parser)
        run.run(parser.parse_args(['leaves', *flags]))
        return given

    return run_command


@pytest.fixture
def results():
    """Of a run without stages, whose verdict names images."""
    results = summarize([], [], {}, {})
    results['without_masks'] = dict(segmentor=dict(training=dict(kind='training_images', images=24)))
    results['verdict'] = dict(line='look at 1 of 9 images', usable=True, notes=[], images=dict(a='pseudo mask: full'))
    return results


def test_the_verdict_names_the_list_of_images(tool, results, capsys, tmp_path):
    assert tool(results) == dict(skip_bad=False, go_on=False)
    printed = capsys.readouterr().out
    assert f'Verdict: look at 1 of 9 images\nTo look at: 1 images, listed in {tmp_path / "look_at.txt"}\n' in printed
    assert f'Report: {tmp_path / "report/index.html"}' in printed


def test_refused_labels_end_it_with_one_line_after_the_report(tool, results, capsys):
    with pytest.raises(SystemExit) as ended:
        tool(results, refused='stopped before segmentor: 3 of 3 are empty')
    assert ended.value.code == 'error: stopped before segmentor: 3 of 3 are empty'
    assert 'Report: ' in capsys.readouterr().out


def test_the_flag_goes_on(tool, results):
    assert tool(results, flags=['--go-on', '--skip-bad']) == dict(skip_bad=True, go_on=True)
