import json
import re
import shutil

import pytest
from mmengine.config import Config
from PIL import Image

from mmwsss.evaluation.records import TRAINING_IMAGES
from mmwsss.report import SHEET_FILE, write_report


@pytest.fixture
def write(run):
    return lambda: write_report(run.run_dir, run.stages, run.results).read_text(encoding='utf-8')


def sections(html):
    return re.findall(r'<section id="(\w+)"', html)


def test_one_file_without_references_to_others(write, run):
    html = write()
    for reference in re.findall(r'(?:src|href)="([^"]*)"', html) + re.findall(r'url\(([^)]*)\)', html):
        assert reference.startswith(('data:', '#'))
    assert len(html) < 1e6
    assert sorted(file.name for file in (run.run_dir / 'report').iterdir()) == ['index.html', 'panels.png']
    assert (run.run_dir / SHEET_FILE).is_file()


def test_every_name_is_escaped(write):
    html = write()
    assert 'disc &amp; &lt;b&gt;ring' in html and '<b>ring' not in html
    assert 'box&#34;' in html
    assert '<script>alert' not in html
    assert '&lt;i&gt;5 &gt; 4&lt;/i&gt;' in html
    assert 'Masks measure &amp; nothing else.' in html


def test_every_picture_has_an_alternative_text(write):
    images = re.findall(r'<img\b[^>]*>', write())
    assert len(images) > 20
    assert all(re.search(r'alt="[^"]+"', image) for image in images)


def test_sections(write):
    assert sections(write()) == ['ladder', 'sweep', 'classes', 'confusion', 'costs', 'images', 'settings']


def test_ladder_is_told_in_words(write):
    html = write()
    assert 'CAM 50.0, CAM, best background score (chosen with ground truth) 52.0, random walk + dCRF 61.5' in html
    assert 'segmentor not measured' in html


def test_sweep_is_that_of_the_record(write):
    assert 'configured: 29.0 at 0.30, best, chosen with ground truth: 50.0 at 1.00, by Otsu' in write()


def test_panels_say_how_good_the_masks_are(write):
    html = write()
    assert 'stripe · sample · best · most changed · mIoU 90 → 95' in html
    assert 'no class · held-out · mIoU 63' not in html and 'stripe · held-out · mIoU 63' in html
    assert '<figcaption>random walk</figcaption>' in html and '<figcaption>segmentor</figcaption>' in html


def test_masks_of_two_stages_have_columns_of_their_own(write, run):
    shutil.copytree(run.run_dir / 'affinity', run.run_dir / 'relabel')
    run.stages.insert(2, ('relabel', run.run_dir / 'relabel', run.stages[1][2]))
    html = write()
    for name in ('random walk', 'pseudo mask'):
        for stage in ('affinity', 'relabel'):
            assert f'<figcaption>{name}, {stage}</figcaption>' in html
        assert f'<figcaption>{name}</figcaption>' not in html
    assert '<figcaption>CAM</figcaption>' in html
    assert 'of these, affinity/pseudo_masks' in html and 'of these, relabel/pseudo_masks' in html
    # image, CAM, affinity labels, ground truth, and affinity, random walk and pseudo mask of both stages
    with Image.open(run.run_dir / SHEET_FILE) as sheet:
        assert sheet.width >= 10 * (130 + 6) + 6


def test_configs_and_figures_are_folded(write):
    html = write()
    assert '<summary>Config of segmentor</summary>' in html and 'mmwsss.SegmentorMetric' in html
    assert 'cam: cam/background_best (chosen with ground truth)' in html


def test_skipped_images_are_listed_and_not_shown(write, run):
    skipped = run.data.ids[1]
    listed = [dict(image_id=skipped, reason='p1.jpg: <i>cut</i> off')]
    (run.run_dir / 'cam/skipped.json').write_text(json.dumps(listed))
    (run.data.root / 'images' / f'{skipped}.jpg').write_bytes(b'')
    html = write()
    assert 'Skipped images: 1' in html
    assert f'<th scope="row">{skipped}</th>' in html and 'p1.jpg: &lt;i&gt;cut&lt;/i&gt; off' in html
    assert f'CAM of {skipped}' not in html


def test_a_run_without_outputs(tmp_path):
    results = dict(ladder={'cam': None}, metrics={}, seconds={'total': 0.0}, counts={}, versions={})
    html = write_report(tmp_path, [('cam', tmp_path / 'cam', Config())], results).read_text(encoding='utf-8')
    assert sections(html) == ['costs', 'settings']
    assert not (tmp_path / SHEET_FILE).exists()


def test_images_that_no_stage_has_seen(write, run):
    shutil.rmtree(run.run_dir)
    html = write()
    assert 'No stage has made anything of the images yet.' in html and 'class-filter">' not in html


def test_without_ground_truth_nothing_is_said_of_it(write, run):
    said = ('Masks measure &amp; nothing else.', 'are chosen with ground truth')
    assert all(part in write() for part in said)
    run.results['ladder'] = dict.fromkeys(run.results['ladder'])
    for name in ('cam', 'random_walk', 'random_walk_dcrf', 'segmentor'):
        for path in run.run_dir.glob(f'*/recorded/{name}.json'):
            path.unlink()
    html = write()
    assert not any(part in html for part in said)
    assert 'The blend goes from the image' in html


def test_no_network_is_built(write, run, monkeypatch):
    monkeypatch.setattr('mmengine.registry.MODELS.build', None)
    monkeypatch.setattr('mmwsss.registry.MODELS.build', None)
    assert 'id="images"' in write()


def test_classes_without_a_background(write, run):
    for _, _, config in run.stages[:3]:
        config.test_dataloader.dataset.dataset.metainfo.with_background = False
    (run.data.root / 'labels.json').write_text(json.dumps({image_id: ['stripe'] for image_id in run.data.ids}))
    assert '<option value="0">background</option>' in write()


@pytest.fixture
def without_masks(run):
    """What the results of a run hold that no mask measures."""
    classes = {'stripe': dict(share=12.5, tagged=3, found=3, both=2)}
    masks = dict(kind='labels', written='pseudo_masks', images=6, labeled=5, empty=1, full=0, classes=classes)
    masks.update(background=87.5, confident=99.0, named={'empty': ['sub/p5']}, agreement={'class maps': 55.5})
    verdict = dict(
        line='look at 1 of 6 images',
        usable=True,
        notes=['mind <this>'],
        images={'sub/p5': 'pseudo mask: empty', 'p0': 'segmentor: a class is not found'},
    )
    run.results.update(without_masks=dict(affinity=dict(walk=masks)), verdict=verdict)
    return run


def test_what_was_measured_without_masks_comes_first(write, without_masks):
    html = write()
    assert sections(html)[0] == 'without_masks'
    assert '<p>Verdict: look at 1 of 6 images</p>' in html and 'mind &lt;this&gt;' in html
    assert '87.5 % of these are background, 1 masks are empty' in html and 'agrees with class maps 55.5' in html
    row = html.partition('<th scope="row">stripe</th>')[2].partition('</tr>')[0]
    assert re.findall(r'>([^<]+)</td>', row) == ['-', '-', '12.5', '3', '2', '-']
    assert 'Images to look at: 2' in html


def test_images_to_look_at_are_shown(write, without_masks):
    html = write()
    assert 'sample · to look at' in html and '<option>to look at</option>' in html
    # An image of the same id among those held out.
    assert 'held-out · to look at' in html


def test_what_a_segmentor_makes_of_training_images_is_shown_with_them(write, run):
    shutil.copytree(run.run_dir / 'affinity/recorded/random_walk', run.run_dir / 'segmentor/recorded' / TRAINING_IMAGES)
    assert 'segmentor of sub/p5' not in write()
    run.stages[2][2].train_dataloader = run.stages[0][2].test_dataloader
    html = write()
    assert 'segmentor of sub/p5' in html and html.count('<figcaption>segmentor</figcaption>') == 8
