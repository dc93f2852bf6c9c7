import json
import re

import numpy as np
import pytest

from mmwsss.report import SHEET_FILE, write_report
from mmwsss.report.records import read_losses


@pytest.fixture
def written(run):
    path = write_report(run.work_dir, run.settings, run.results)
    return path, path.read_text(encoding='utf-8')


def test_one_file_without_references_to_others(written, run):
    path, html = written
    assert path == run.work_dir / 'report' / 'index.html'
    for reference in re.findall(r'(?:src|href)="([^"]*)"', html) + re.findall(r'url\(([^)]*)\)', html):
        assert reference.startswith(('data:', '#'))
    assert len(html) < 1e6
    assert sorted(file.name for file in path.parent.iterdir()) == ['index.html', 'panels.png']
    assert (run.work_dir / SHEET_FILE).is_file()


def test_every_name_is_escaped(written):
    _, html = written
    assert 'disc &amp; &lt;b&gt;ring' in html and '<b>ring' not in html
    assert 'box&quot;' in html
    assert '<script>alert' not in html
    assert '&lt;i&gt;5 &gt; 4&lt;/i&gt;' in html
    assert 'Masks measure &amp; nothing else.' in html


def test_every_picture_has_an_alternative_text(written):
    _, html = written
    images = re.findall(r'<img\b[^>]*>', html)
    assert len(images) > 20
    assert all(re.search(r'alt="[^"]+"', image) for image in images)


def test_sections(written):
    _, html = written
    sections = re.findall(r'<section id="(\w+)"', html)
    assert sections == ['ladder', 'sweep', 'classes', 'confusion', 'costs', 'photographs', 'settings']


def test_ladder_is_told_in_words(written):
    _, html = written
    assert 'CAM 50.0, CAM, best background score (picked with masks) 52.0, random walk + dCRF 61.5' in html
    assert 'segmentor, held-out not measured' in html


def test_skipped_photographs_are_listed_and_not_measured(run):
    skipped = run.photos.ids[1]
    listed = [dict(image_id=skipped, reason='p1.jpg: <i>cut</i> off')]
    (run.work_dir / 'seed_infer/skipped.json').write_text(json.dumps(listed))
    (run.work_dir / 'seeds' / f'{skipped}.npz').unlink()
    (run.photos.root / 'images' / f'{skipped}.jpg').write_bytes(b'')
    html = write_report(run.work_dir, run.settings, run.results).read_text(encoding='utf-8')
    assert 'Skipped photographs: 1' in html
    assert f'<th scope="row">{skipped}</th>' in html and 'p1.jpg: &lt;i&gt;cut&lt;/i&gt; off' in html
    assert f'alt="{skipped}' not in html


def test_a_run_without_outputs(tmp_path):
    results = dict(ladder={'cam': None}, metrics={}, seconds={'total': 0.0}, counts={}, versions={})
    html = write_report(tmp_path, {}, results).read_text(encoding='utf-8')
    assert re.findall(r'<section id="(\w+)"', html) == ['ladder', 'costs', 'settings']
    assert not (tmp_path / SHEET_FILE).exists()


def test_recorded_confusions_take_the_place_of_measured_ones(run):
    recorded = dict(random_walk=dict(classes=[], counts=np.diag([4, 3, 2, 1]).tolist()))
    (run.work_dir / 'seed_infer' / 'confusions.json').write_text(json.dumps(recorded))
    html = write_report(run.work_dir, run.settings, run.results).read_text(encoding='utf-8')
    assert 'Confusion matrix of random walk; percent of the pixels of each class that are right' in html
    assert 'IoU of pseudo mask' not in html


def test_losses_of_a_resumed_training(tmp_path):
    for name, logged in (('1', [(10, 3.0), (20, 2.0)]), ('2', [(20, 1.5), (30, 1.0)])):
        folder = tmp_path / name / 'vis_data'
        folder.mkdir(parents=True)
        lines = [json.dumps(dict(step=step, loss=value, **{'decode.loss_ce': value}, lr=0.1)) for step, value in logged]
        (folder / 'scalars.json').write_text('\n'.join(lines))
    assert read_losses(tmp_path) == {'decode.loss_ce': ([10, 20, 30], [3.0, 1.5, 1.0])}


def test_classes_without_a_background(run):
    run.settings.update(with_background=False)
    html = write_report(run.work_dir, run.settings, run.results).read_text(encoding='utf-8')
    assert 'id="sweep"' not in html
    assert '<option value="0">background</option>' in html
