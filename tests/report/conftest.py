"""A work directory as a pipeline leaves it, and a browser that tests drive through its debugging pipe."""

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
HOSTILE_STEP = 'odd <script>alert(1)</script>'
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
def run(image_set):
    """Six photographs with seeds, affinity labels and pseudo masks, of which the last has no truth."""
    labels = [['stripe'], ['box"'], [CLASSES[1], 'stripe'], ['stripe', 'box"'], [], [CLASSES[1]]]
    photos = image_set(labels, classes=CLASSES, sizes=((40, 56), (56, 40)))
    (photos.root / 'masks' / f'{photos.ids[-1]}.png').unlink()
    work_dir = photos.root / 'work'
    settings = dict(
        classes=list(CLASSES),
        with_background=True,
        background_score=0.3,
        seed_dir=str(work_dir / 'seeds'),
        affinity_label_dir=str(work_dir / 'affinity_labels'),
        pseudo_mask_dir=str(work_dir / 'pseudo_masks'),
        note='<i>5 > 4</i>',
    )
    _write_files(photos, work_dir, labels)
    dataset = dict(type='ImageLabelDataset', dataset=photos.dataset, image_labels=photos.labels)
    write_config(work_dir / 'seed_infer', test_dataloader=dict(dataset=dataset))
    results = dict(
        ladder=dict(cam=50.0, cam_best=52.0, random_walk_dcrf=61.5, segmentor=None),
        picked_with_masks=['cam_best'],
        metrics=dict(
            seed_train={}, seed_infer={'cam/mIoU': 50.0, 'cam/background_otsu': 0.4}, **{HOSTILE_STEP: {'mIoU': None}}
        ),
        seconds=dict(seed_train=61.0, seed_infer=5.0, total=66.0),
        counts=dict(photographs=6, with_masks=5),
        settings=settings,
        versions=dict(mmwsss='0.1'),
        used_ground_truth='Masks measure & nothing else.',
    )
    return SimpleNamespace(work_dir=work_dir, settings=settings, results=results, photos=photos)


def _write_files(photos, work_dir, labels):
    from mmwsss.fileio import Seeds, write_mask, write_seeds

    palette = [(0, 0, 0), (128, 0, 0), (0, 128, 0), (0, 0, 128)]
    for number, (image_id, names) in enumerate(zip(photos.ids, labels, strict=True)):
        mask = photos.masks[image_id]
        class_ids = np.array([CLASSES.index(name) for name in names], np.uint8)
        cams = np.zeros((len(names), mask.shape[0] // 4, mask.shape[1] // 4), np.float16)
        for cam, index in zip(cams, class_ids, strict=True):
            cam[:] = 0.9 * (mask[2::4, ::4] == index)[: cam.shape[0]]
        write_seeds(work_dir / 'seeds' / f'{image_id}.npz', Seeds(class_ids, cams, mask.shape))
        write_mask(work_dir / 'affinity_labels' / f'{image_id}.png', mask, palette)
        guess = np.where(mask == 255, 0, mask).astype(np.uint8)
        guess[:, guess.shape[1] - 4 * number :] = 0
        write_mask(work_dir / 'pseudo_masks' / f'{image_id}.png', guess, palette)


def write_config(folder, **values):
    from mmengine.config import Config

    folder.mkdir(parents=True, exist_ok=True)
    imports = ['mmwsss.models', 'mmwsss.datasets', 'mmwsss.evaluation', 'mmwsss.engine']
    common = dict(default_scope='mmseg', custom_imports=dict(imports=imports, allow_failed_imports=False))
    Config({**common, **values}).dump(str(folder / f'{folder.name}.py'))


@pytest.fixture(name='write_config')
def write_config_fixture():
    return write_config


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
