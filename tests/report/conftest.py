"""A run folder as a pipeline leaves it, and a browser that tests drive through its debugging pipe."""

import json
import os
import shutil
import subprocess
import sys
import time
from contextlib import contextmanager
from types import SimpleNamespace

import numpy as np
import pytest

CLASSES = ('background', 'disc & <b>ring</b>', 'stripe', 'box"')
LABELS = [['stripe'], ['box"'], [CLASSES[1], 'stripe'], ['stripe', 'box"'], [], [CLASSES[1]]]
SIZES = ((40, 56), (56, 40))
PALETTE = [(0, 0, 0)]
HOSTILE_STAGE = 'odd <script>alert(1)</script>'
# The child puts its ends of the pipes where Chromium expects them.
_START = (
    'import fcntl, os, sys\n'
    'ends = [fcntl.fcntl(int(end), fcntl.F_DUPFD, 60) for end in sys.argv[1:3]]\n'
    'os.dup2(ends[0], 3)\n'
    'os.dup2(ends[1], 4)\n'
    'os.execvp(sys.argv[3], sys.argv[3:])\n'
)
_BROWSERS = ('chromium', 'chromium-browser', 'google-chrome', 'chrome')


@pytest.fixture
def run(image_set, tmp_path):
    """A localizer and an affinity model tested on six images, of which the last has no ground truth, and a segmentor.

    The segmentor is tested on two other images. A fourth stage, of a name that wants to be HTML, has not run.
    """
    data = image_set(LABELS, classes=CLASSES, sizes=SIZES)
    held_out = image_set(LABELS[:2], classes=CLASSES, sizes=SIZES, root=tmp_path / 'held_out')
    (data.root / 'masks' / f'{data.ids[-1]}.png').unlink()
    run_dir = tmp_path / 'run'
    _write_cam_stage(run_dir / 'cam', data)
    _write_affinity_stage(run_dir / 'affinity', data)
    _write_segmentor_stage(run_dir / 'segmentor', held_out)
    results = dict(
        ladder=dict(cam=50.0, cam_best=52.0, random_walk_dcrf=61.5, segmentor=None),
        picked_with_masks=['cam_best'],
        metrics=dict(cam={'cam/mIoU': 50.0, 'cam/background_best': 0.1}, **{HOSTILE_STAGE: {'mIoU': None}}),
        seconds=dict(cam=61.0, affinity=5.0, total=66.0),
        counts=dict(images=6, with_masks=5),
        versions=dict(mmwsss='0.1'),
        used_ground_truth='Masks measure & nothing else.',
    )
    stages = [(name, run_dir / name, config) for name, config in _configs(data, held_out).items()]
    return SimpleNamespace(run_dir=run_dir, results=results, stages=stages, data=data, held_out=held_out)


def _configs(data, held_out):
    from mmengine.config import Config

    def make(images, evaluators, **dataset):
        dataset = dict(type='mmwsss.ImageLabelDataset', dataset=images.dataset, **dataset)
        test = dict(test_dataloader=dict(dataset=dataset), test_evaluator=evaluators)
        return Config(dict(default_scope='mmseg', note='<i>5 > 4</i>', **test))

    seeds = dict(type='mmwsss.SeedMetric', background_score=0.3, output_dir='seeds')
    labels = dict(type='mmwsss.AffinityLabelMetric', chain='labels', output_dir='affinity_labels')
    walk = dict(type='mmwsss.PseudoMaskMetric', chain='masks', num_refiners=1, prefix='random_walk')
    masks = dict(type='mmwsss.PseudoMaskMetric', chain='masks', prefix='random_walk_dcrf', output_dir='pseudo_masks')
    return {
        'cam': make(data, [seeds, labels], image_labels=data.labels),
        'affinity': make(data, [walk, masks], image_labels=data.labels, seed_dir='elsewhere'),
        'segmentor': make(held_out, dict(type='mmwsss.SegmentorMetric')),
        HOSTILE_STAGE: Config(dict(note='only trained')),
    }


def _write_cam_stage(folder, data):
    from mmwsss.fileio import Seeds, write_mask, write_seeds

    for image_id, names in zip(data.ids, LABELS, strict=True):
        mask = data.masks[image_id]
        class_ids = np.array([CLASSES.index(name) for name in names], np.uint8)
        cams = np.zeros((len(names), mask.shape[0] // 4, mask.shape[1] // 4), np.float16)
        for cam, index in zip(cams, class_ids, strict=True):
            cam[:] = 0.9 * (mask[2::4, ::4] == index)[: cam.shape[0]]
        write_seeds(folder / 'seeds' / f'{image_id}.npz', Seeds(class_ids, cams, mask.shape))
        write_mask(folder / 'affinity_labels' / f'{image_id}.png', mask, PALETTE)
    curve = dict(
        background_score=[index / 100 for index in range(101)],
        mIoU=np.linspace(20, 50, 101).tolist(),
        configured=0.3,
        best_picked_with_masks=1.0,
        otsu_picked_without_masks=0.4,
    )
    ious = dict(zip(data.ids[:5], [90, 80, 60, 50, 40], strict=True))
    write_json(folder / 'recorded/cam.json', dict(curve=curve, mIoU_of_images=ious))
    counts = (np.eye(4, 5, dtype=int) * 8 + 1).tolist()
    write_json(folder / 'confusions.json', dict(cam=dict(classes=CLASSES, counts=counts)))


def _write_affinity_stage(folder, data):
    import cv2

    from mmwsss.fileio import write_mask

    for number, image_id in enumerate(data.ids):
        guess = np.where(data.masks[image_id] == 255, 0, data.masks[image_id]).astype(np.uint8)
        guess[:, guess.shape[1] - 4 * number :] = 0
        write_mask(folder / 'pseudo_masks' / f'{image_id}.png', guess, PALETTE)
        write_mask(folder / 'recorded/random_walk' / f'{image_id}.png', guess, PALETTE)
        path = folder / 'recorded/affinity_boundaries' / f'{image_id}.png'
        path.parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(path), guess * 50)
    ious = dict(zip(data.ids[:5], [95, 80, 70, 20, 30], strict=True))
    write_json(folder / 'recorded/random_walk.json', dict(mIoU_of_images={}))
    write_json(folder / 'recorded/random_walk_dcrf.json', dict(mIoU_of_images=ious))


def _write_segmentor_stage(folder, data):
    from mmwsss.fileio import write_mask

    for image_id, mask in data.masks.items():
        write_mask(folder / 'recorded/segmentor' / f'{image_id}.png', mask, PALETTE)
    write_json(folder / 'recorded/segmentor.json', dict(mIoU_of_images={image_id: 63.2 for image_id in data.ids}))


def write_json(path, value):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value), encoding='utf-8')


class Browser:
    """A page in a headless Chromium.

    Attributes:
        problems (list[str]): What the console has shown of the open page, and addresses of other files.
    """

    def __init__(self, to_browser, from_browser):
        self.to_browser, self.from_browser = to_browser, from_browser
        self.buffer, self.number, self.session, self.problems = b'', 0, None, []
        target = self.send('Target.createTarget', url='about:blank')['targetId']
        self.session = self.send('Target.attachToTarget', targetId=target, flatten=True)['sessionId']
        for domain in ('Page', 'Runtime', 'Log', 'Network', 'Accessibility'):
            self.send(f'{domain}.enable')

    def send(self, method, **params):
        self.number += 1
        message = dict(id=self.number, method=method, params=params)
        if self.session:
            message['sessionId'] = self.session
        os.write(self.to_browser, json.dumps(message).encode() + b'\0')
        while True:
            received = self._receive()
            if received.get('id') == self.number:
                assert 'error' not in received, received
                return received['result']

    def _receive(self):
        while b'\0' not in self.buffer:
            part = os.read(self.from_browser, 1 << 20)
            assert part, 'the browser has ended'
            self.buffer += part
        message, _, self.buffer = self.buffer.partition(b'\0')
        received = json.loads(message)
        self._note(received.get('method'), received.get('params', {}))
        return received

    def _note(self, method, params):
        if method == 'Runtime.exceptionThrown':
            self.problems.append(str(params['exceptionDetails']))
        elif method == 'Log.entryAdded' and params['entry']['level'] in ('error', 'warning'):
            self.problems.append(params['entry']['text'])
        elif method == 'Runtime.consoleAPICalled':
            self.problems.append(str(params['args']))
        elif method == 'Network.requestWillBeSent':
            address = params['request']['url']
            if not address.startswith(('file:', 'data:', 'about:')):
                self.problems.append(address)

    def open(self, path, width=1280, height=900):
        self.send(
            'Emulation.setDeviceMetricsOverride', width=width, height=height, deviceScaleFactor=1, mobile=width < 600
        )
        self.problems.clear()
        self.send('Page.navigate', url=path.as_uri())
        for _ in range(600):
            if self.evaluate("document.readyState === 'complete' && location.protocol === 'file:'"):
                return
            time.sleep(0.1)
        raise AssertionError('the page did not load within a minute')

    def evaluate(self, expression):
        answer = self.send('Runtime.evaluate', expression=expression, returnByValue=True, awaitPromise=True)
        assert 'exceptionDetails' not in answer, answer
        return answer['result'].get('value')

    def press(self, key):
        codes = dict(ArrowLeft=37, ArrowRight=39, ArrowDown=40, Enter=13, Escape=27, Tab=9)
        text = dict(text='\r') if key == 'Enter' else {}
        common = dict(key=key, code=key, windowsVirtualKeyCode=codes[key])
        self.send('Input.dispatchKeyEvent', type='keyDown', **common, **text)
        self.send('Input.dispatchKeyEvent', type='keyUp', **common)


@contextmanager
def start_browser(profile):
    command = next((found for name in _BROWSERS if (found := shutil.which(name))), None)
    if command is None:
        pytest.skip('no Chromium is installed')
    flags = [
        '--headless',
        '--no-sandbox',
        '--disable-gpu',
        '--disable-dev-shm-usage',
        '--no-first-run',
        f'--user-data-dir={profile}',
        '--remote-debugging-pipe',
        'about:blank',
    ]
    child_in, to_browser = os.pipe()
    from_browser, child_out = os.pipe()
    process = subprocess.Popen(
        [sys.executable, '-c', _START, str(child_in), str(child_out), command, *flags],
        pass_fds=(child_in, child_out),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    os.close(child_in)
    os.close(child_out)
    try:
        yield Browser(to_browser, from_browser)
    finally:
        process.terminate()
        process.wait()
        os.close(to_browser)
        os.close(from_browser)


@pytest.fixture(scope='module')
def browser(tmp_path_factory):
    with start_browser(tmp_path_factory.mktemp('profile')) as started:
        yield started
