"""Where the time of trainings and tests of stages goes: milliseconds an image, by part.

    python .dev/benchmarks/stages.py work_dirs/stages --method affinitynet
    python .dev/benchmarks/stages.py work_dirs/stages --leaves configs/fast/voc12/efficientnet_lite1_six_classes \
        --data-root /path/to/VOC2012

Without ``--leaves``, the images are generated scenes of the size of those of PASCAL VOC, and the configs are those of
own images. The tools run as always, but in one process and one thread, and functions are wrapped that stand for a part
(``PARTS``). A part that calls another counts without it. Seconds are those of the processor, which other programs on
the machine hardly change; on a GPU, those of the clock after all kernels have ended. The first batch warms up.
"""

import argparse
import functools
import json
import os
import runpy
import subprocess
import sys
import time
from collections import Counter
from importlib import import_module
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
STAGES = ('cam', 'affinity', 'segmentor')
# As many pixels as 375 x 500.
SCENE_SIDE = 433
PARTS = {
    'decode images': ['mmwsss.fileio.images.read_image'],
    'read seeds, features, masks': [
        'mmwsss.fileio.seeds.read_seeds',
        'mmwsss.fileio.features.read_features',
        'mmwsss.fileio.affinities.read_affinity',
        'mmwsss.fileio.masks.read_mask',
    ],
    'resize and augment images': [
        'mmcv.transforms.Resize.transform',
        'mmcv.transforms.RandomResize.transform',
        'mmcv.transforms.RandomFlip.transform',
        'mmseg.datasets.transforms.PhotoMetricDistortion.transform',
        'mmwsss.datasets.transforms.RandomCropOrPad.transform',
        'mmwsss.models.localizers.localizer.Localizer.scale_images',
    ],
    'pack and normalize': [
        'mmwsss.datasets.transforms.PackWeakInputs.transform',
        'mmseg.datasets.transforms.PackSegInputs.transform',
        'mmengine.model.BaseDataPreprocessor.cast_data',
        'mmseg.models.SegDataPreProcessor.forward',
    ],
    'fuse maps': ['mmwsss.models.localizers.localizer.Localizer.make_seeds'],
    'resample maps': ['mmwsss.ops.maps.resize_maps', 'mmwsss.ops.maps.pool_to_cells'],
    'random walk': ['mmwsss.ops.random_walk.random_walk'],
    'cosine affinity': ['mmwsss.models.refiners.CosineAffinity.refine'],
    'PAR': ['mmwsss.models.refiners.PAR.refine'],
    'dense CRF': ['mmwsss.ops.dense_crf.dense_crf_stack'],
    'other refiners and labelers': [
        'mmwsss.models.refiners.Background.refine',
        'mmwsss.models.refiners.Normalize.refine',
        'mmwsss.models.refiners.RandomWalk.refine',
        'mmwsss.models.refiners.DenseCRF.refine',
        'mmwsss.models.labelers.AffinityLabeler.label',
        'mmwsss.models.labelers.ArgmaxLabeler.label',
    ],
    'write files': [
        'mmwsss.fileio.seeds.write_seeds',
        'mmwsss.fileio.masks.write_mask',
        'mmwsss.fileio.features.write_features',
        'mmwsss.fileio.affinities.write_affinity',
    ],
    'measure': [
        'mmwsss.evaluation.metrics.seed_metric.count_seeds',
        'mmwsss.evaluation.metrics.seed_metric.count_levels',
        'mmwsss.evaluation.metrics.affinity_label_metric._LabelCounter.__call__',
        'mmwsss.evaluation.metrics.pseudo_mask_metric._MaskCounter.__call__',
        'mmwsss.evaluation.metrics.segmentor_metric.SegmentorMetric.process',
    ],
    'backward': ['mmengine.optim.OptimWrapper.backward'],
    'optimizer': ['mmengine.optim.OptimWrapper.step', 'mmengine.optim.OptimWrapper.zero_grad'],
}
# Methods of the parts of a network, whatever their classes are.
NETWORK = {
    'backbone': ('backbone', ['forward']),
    'head': ('head', ['forward', 'localize', 'affinity', 'loss', 'pooled']),
    'decode_head': ('head', ['forward', 'loss', 'predict']),
    'auxiliary_head': ('head', ['forward', 'loss']),
}
# A call of one of these is a batch.
BATCHES = (
    'mmwsss.engine.loops.LabelLoop.run_iter',
    'mmengine.runner.TestLoop.run_iter',
    'mmengine.runner.IterBasedTrainLoop.run_iter',
    'mmwsss.models.CAMClassifier.pooled_features',
)
REST = 'everything else'
TOTAL = 'total'


class PartClock:
    """Seconds by part, each without those of the parts it calls."""

    def __init__(self):
        self.seconds, self.inner, self.images, self.begun, self.results = Counter(), [], 0, None, {}

    @staticmethod
    def now():
        import torch

        if torch.cuda.is_available():
            torch.cuda.synchronize()
            return time.perf_counter()
        return time.process_time()

    def timed(self, function, part):
        @functools.wraps(function)
        def call(*args, **kwargs):
            start = self.now()
            self.inner.append(0.0)
            try:
                return function(*args, **kwargs)
            finally:
                spent = self.now() - start
                self.seconds[part] += spent - self.inner.pop()
                if self.inner:
                    self.inner[-1] += spent

        return call

    def batch(self, function):
        """Counts images; the first batch begins the measurement, and each other is the end so far."""

        @functools.wraps(function)
        def call(*args, **kwargs):
            result = function(*args, **kwargs)
            # Only the outermost call of a phase: some loops call the method of their parent.
            if self.begun is None:
                self.seconds.clear()
                self.begun = self.now()
            else:
                batch = args[-1]['inputs'] if isinstance(args[-1], dict) else args[-1]
                self.images += len(batch)
                self.results = dict(images=self.images, seconds={**self.seconds, TOTAL: self.now() - self.begun})
            return result

        return call


def owner_of(name):
    """The module or class that holds a function, and its name there."""
    path, _, attribute = name.rpartition('.')
    try:
        return import_module(path), attribute
    except ModuleNotFoundError:
        module, _, cls = path.rpartition('.')
        return getattr(import_module(module), cls), attribute


def replace_everywhere(name, change):
    """Puts another function into the place of one, also where modules have imported it by name."""
    owner, attribute = owner_of(name)
    original = getattr(owner, attribute)
    changed = change(original)
    setattr(owner, attribute, changed)
    for module in [module for key, module in sys.modules.items() if key.startswith('mmwsss')]:
        for key, value in list(vars(module).items()):
            if value is original:
                setattr(module, key, changed)


def run_tool_timed(out, tool, arguments):
    """Runs a tool with all parts timed, and writes what they took."""
    import torch

    torch.set_num_threads(1)
    from mmengine.runner import Runner

    import mmwsss.engine.launch  # noqa: F401
    import mmwsss.engine.loops  # noqa: F401
    import mmwsss.evaluation  # noqa: F401
    import mmwsss.models  # noqa: F401

    clock = PartClock()
    for part, names in PARTS.items():
        for name in names:
            replace_everywhere(name, functools.partial(clock.timed, part=part))
    for name in BATCHES:
        replace_everywhere(name, clock.batch)
    wrapped = set()
    build_model = Runner.build_model

    def build_and_wrap(self, model):
        network = build_model(self, model)
        for attribute, (part, methods) in NETWORK.items():
            cls = type(getattr(network, attribute, None))
            for method in methods:
                if hasattr(cls, method) and (cls, method) not in wrapped:
                    wrapped.add((cls, method))
                    setattr(cls, method, clock.timed(getattr(cls, method), part))
        return network

    Runner.build_model = build_and_wrap
    sys.argv = [tool, *arguments]
    runpy.run_path(tool, run_name='__main__')
    Path(out).write_text(json.dumps(clock.results))


def write_scene_folder(folder, count, method):
    """Scenes as own images, and configs for them."""
    from mmwsss.converters.folder import write_folder_dataset
    from mmwsss.converters.folder_configs import write_folder_configs
    from mmwsss.datasets.scenes import write_scenes

    scenes, root = folder / 'scenes', folder / 'data'
    write_scenes(scenes, num_train=count, num_val=1, size=SCENE_SIDE)
    summary = write_folder_dataset(
        scenes / 'images', root, labels=scenes / 'image_labels.json', masks=scenes / 'masks', held_out=0.2
    )
    write_folder_configs(folder / f'configs_{method}', root, summary.classes, True, method)
    return str(folder / f'configs_{method}')


def options_of(stage, images, iterations):
    """What makes a stage short and lets it run in one process."""
    cfg = stage.cfg
    options = [f'{part}_dataloader.num_workers=0' for part in ('train', 'test') if f'{part}_dataloader' in cfg]
    options += [f'{option.split(".")[0]}.persistent_workers=False' for option in options]
    options.append(f'test_dataloader.dataset.indices={images}')
    if 'num_workers' in cfg.test_cfg:
        options.append('test_cfg.num_workers=0')
    if cfg.get('train_cfg') is not None:
        # Trainings see the images that the tests before them have made files of.
        options.append(f'train_dataloader.dataset.indices={images}')
        if 'max_iters' in cfg.train_cfg:
            options.append(f'train_cfg.max_iters={iterations + 1}')
            options.append(f'train_cfg.val_interval={10 * iterations}')
        if cfg.get('val_dataloader') is not None:
            options += ['val_dataloader.dataset.indices=2', 'val_dataloader.num_workers=0']
            options.append('val_dataloader.persistent_workers=False')
    return options


def measure(args):
    """Milliseconds an image by part, of every phase of the stages."""
    from mmwsss.pipeline.command import Launcher
    from mmwsss.pipeline.runner import Pipeline

    folder = args.folder.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    leaves = args.leaves or [write_scene_folder(folder, args.images + args.images // 2 + 4, args.method)]
    pipeline = Pipeline(leaves, Launcher(ROOT / 'tools'), (), args.data_root, str(folder / 'run'))
    environment = {**os.environ, 'OMP_NUM_THREADS': '1', 'MKL_NUM_THREADS': '1'}
    measured = {}
    for stage in pipeline.stages:
        for phase in stage.phases:
            if args.stages and stage.name not in args.stages:
                continue
            command = pipeline.phase_command(stage, phase)
            tool = command.index(next(part for part in command if part.endswith(f'{phase}.py')))
            out = folder / 'parts.json'
            options = [*options_of(stage, args.images, args.iterations), *args.cfg_options]
            arguments = [*command[tool + 1 :], '--cfg-options', *options]
            inside = [sys.executable, __file__, '--inside', str(out), command[tool], *arguments]
            log = folder / f'{stage.name}_{phase}.log'
            with open(log, 'w') as output:
                code = subprocess.run(inside, stdout=output, stderr=output, env=environment).returncode
            if code != 0:
                sys.exit(f'error: {stage.name} {phase} ended with {code}:\n{log.read_text()[-2000:]}')
            measured[f'{stage.name} {phase}'] = in_milliseconds(json.loads(out.read_text()))
    return measured


def in_milliseconds(result):
    seconds = dict(result['seconds'])
    total = seconds.pop(TOTAL)
    seconds[REST] = total - sum(seconds.values())
    seconds[TOTAL] = total
    return {part: 1000 * value / result['images'] for part, value in seconds.items()}


def as_table(measured):
    """A Markdown table, a column a phase."""
    rows = [*PARTS, 'backbone', 'head', REST, TOTAL]
    order = sorted(set(rows) - {REST, TOTAL}, key=lambda part: -max(one.get(part, 0) for one in measured.values()))
    lines = [f'| ms an image | {" | ".join(measured)} |', '|---' * (len(measured) + 1) + '|']
    for part in [*order, REST, TOTAL]:
        cells = [f'{one[part]:.1f}' if one.get(part, 0) >= 0.05 else '' for one in measured.values()]
        if any(cells):
            lines.append(f'| {part} | {" | ".join(cells)} |')
    return '\n'.join(lines)


def parse_args():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('folder', type=Path, help='of the scenes, and of all that the stages write')
    parser.add_argument('--method', choices=['affinitynet', 'fast'], default='affinitynet', help='of the scenes')
    parser.add_argument('--leaves', nargs='+', help='configs of stages, or a folder of them')
    parser.add_argument('--data-root', help='folder of the data of these configs')
    parser.add_argument('--stages', nargs='+', choices=STAGES, help='by default all')
    parser.add_argument('--images', type=int, default=24, help='images of a test')
    parser.add_argument('--iterations', type=int, default=3, help='of a training')
    parser.add_argument('--cfg-options', nargs='+', default=[], help='for every stage')
    parser.add_argument('--out', help='JSON file of the results')
    return parser.parse_args()


def main():
    args = parse_args()
    measured = measure(args)
    print(as_table(measured))
    if args.out:
        Path(args.out).write_text(json.dumps(measured, indent=2))


if __name__ == '__main__':
    if sys.argv[1:2] == ['--inside']:
        run_tool_timed(sys.argv[2], sys.argv[3], sys.argv[4:])
    else:
        main()
