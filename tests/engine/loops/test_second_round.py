"""A trained segmentor makes the pseudo masks anew that the next one trains on."""

import copy

import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.runner import Runner
from mmseg.registry import DATASETS, MODELS

from mmwsss.engine import TeacherHook, load_from_local
from mmwsss.engine.stored_maps import use_stored_maps
from mmwsss.fileio import read_mask, read_seeds

SEGMENTOR = dict(
    type='EncoderDecoder',
    data_preprocessor=dict(
        type='SegDataPreProcessor',
        mean=[127.5] * 3,
        std=[60.0] * 3,
        bgr_to_rgb=True,
        size_divisor=8,
        test_cfg=dict(size_divisor=8),
    ),
    backbone=dict(
        type='ResNetV1c',
        depth=18,
        base_channels=8,
        stem_channels=8,
        strides=(1, 2, 1, 1),
        dilations=(1, 1, 2, 4),
        norm_cfg=dict(type='BN'),
    ),
    decode_head=dict(
        type='FCNHead',
        in_channels=64,
        in_index=3,
        channels=8,
        num_classes=4,
        num_convs=1,
        concat_input=False,
        norm_cfg=dict(type='BN'),
    ),
    test_cfg=dict(mode='whole'),
)
VARIANTS = dict(
    type='TestTimeAug',
    transforms=[
        [dict(type='Resize', scale_factor=factor, keep_ratio=True) for factor in (1.0, 0.75)],
        [dict(type='RandomFlip', prob=0.0), dict(type='RandomFlip', prob=1.0)],
        [dict(type='mmwsss.PackWeakInputs')],
    ],
)
CRF = dict(type='mmwsss.DenseCRF', num_iters=1, gaussian=(1, 1), bilateral=(8, 13, 1))
EVALUATORS = [
    dict(type='mmwsss.SeedMetric', output_dir='seeds', format_only=True),
    dict(type='mmwsss.PseudoMaskMetric', chain='pseudo_masks', num_refiners=0, prefix='relabel', output_dir='plain'),
    dict(type='mmwsss.PseudoMaskMetric', chain='pseudo_masks', output_dir='pseudo_masks'),
]


@pytest.fixture
def relabel(stages, tmp_path):
    """Config of a stage whose checkpoint is that of the segmentor, without a prefix, as a training leaves it."""
    torch.manual_seed(0)
    segmentor = MODELS.build(copy.deepcopy(SEGMENTOR))
    segmentor.init_weights()
    # Scores of random weights are all alike.
    torch.nn.init.normal_(segmentor.decode_head.conv_seg.weight, std=2.0)
    meta = dict(dataset_meta=dict(classes=stages.data.classes, palette=None, with_background=True))
    torch.save(dict(state_dict=segmentor.state_dict(), meta=meta), tmp_path / 'segmentor.pth')
    config = Config(copy.deepcopy(stages.cam.to_dict()))
    config.load_from = str(tmp_path / 'segmentor.pth')
    config.model = dict(type='mmwsss.SeedTTAModel', module=SEGMENTOR)
    config.test_dataloader.dataset.pipeline = [dict(type='mmwsss.LoadImageFromFile'), VARIANTS]
    config.test_cfg.chains = dict(pseudo_masks=dict(refiners=[CRF], labeler=dict(type='mmwsss.ArgmaxLabeler')))
    config.test_evaluator = EVALUATORS
    return config


def test_masks_hold_the_labeled_classes_where_the_segmentor_sees_them(stages, relabel):
    made = stages.run(relabel, 'relabel')
    assert set(made.metrics) == {'relabel/mIoU', 'pseudo_masks/mIoU'}
    dataset = DATASETS.build(relabel.test_dataloader.dataset)
    found = set()
    for index, image_id in enumerate(stages.data.ids):
        allowed = {0, *dataset.get_data_info(index)['gt_class_ids'].tolist()}
        for folder in ('plain', 'pseudo_masks'):
            mask = read_mask(made.folder / folder / f'{image_id}.png')
            assert mask.shape == stages.data.masks[image_id].shape
            assert set(np.unique(mask)) <= allowed
            found |= set(np.unique(mask).tolist())
        assert read_seeds(made.folder / 'seeds' / f'{image_id}.npz').class_ids.tolist() == sorted(allowed)
    assert len(found) > 1


def test_chains_run_again_on_the_stored_seeds(stages, relabel):
    made = stages.run(relabel, 'relabel')
    relabel.work_dir = str(made.folder)
    use_stored_maps(relabel)
    again = stages.run(relabel, 'again')
    masks = {name: content for name, content in made.files.items() if name.endswith('.png')}
    assert again.metrics == made.metrics and again.files == masks


def test_the_next_segmentor_trains_by_the_weights_of_the_masks(stages, relabel, tmp_path):
    """And a teacher, which is what the training leaves, labels the pixels of which the masks say nothing."""
    chain = dict(relabel.test_cfg.chains.pseudo_masks, witnesses=[0])
    chain.update(labeler=dict(type='mmwsss.ArgmaxLabeler', margin=0.05, full_margin=0.5), agreement='weight')
    masks = dict(EVALUATORS[2], weight_dir='pixel_weights')
    made = stages.run(relabel, 'relabel', [masks], chains=dict(pseudo_masks=chain))
    names = {f'{folder}/{image_id}.png' for folder in ('pseudo_masks', 'pixel_weights') for image_id in stages.data.ids}
    assert set(made.files) == names
    config = Config(
        dict(
            default_scope='mmseg',
            custom_imports=dict(imports=['mmwsss.registry'], allow_failed_imports=False),
            work_dir=str(tmp_path / 'round2'),
            experiment_name='round2',
            model=dict(SEGMENTOR, type='mmwsss.WeightedEncoderDecoder'),
            train_dataloader=dict(
                batch_size=2,
                num_workers=0,
                sampler=dict(type='InfiniteSampler', shuffle=False),
                dataset=dict(
                    type='mmwsss.ImageLabelDataset',
                    dataset=stages.data.dataset,
                    image_labels=stages.data.labels,
                    pseudo_mask_dir=str(made.folder / 'pseudo_masks'),
                    pixel_weight_dir=str(made.folder / 'pixel_weights'),
                    pipeline=[
                        dict(type='mmwsss.LoadImageFromFile'),
                        dict(type='mmwsss.LoadLabelMap', source='pseudo_mask'),
                        dict(type='RandomResize', scale=(60, 60), ratio_range=(0.5, 1.0), keep_ratio=True),
                        dict(type='RandomFlip', prob=0.5),
                        dict(type='mmwsss.RandomCropOrPad', crop_size=(36, 44)),
                        dict(type='mmwsss.PackWeakInputs'),
                    ],
                ),
            ),
            train_cfg=dict(type='IterBasedTrainLoop', max_iters=3),
            optim_wrapper=dict(type='OptimWrapper', optimizer=dict(type='SGD', lr=0.01)),
            custom_hooks=[dict(type='mmwsss.TeacherHook', begin=1, mode='fill', weight=0.5)],
            default_hooks=dict(final=dict(type='mmwsss.FinalCheckpointHook')),
            log_level='ERROR',
        )
    )
    runner = Runner.from_cfg(config)
    runner.train()
    assert np.isfinite(runner.message_hub.get_scalar('train/loss').current())
    teacher = next(hook for hook in runner.hooks if isinstance(hook, TeacherHook)).ema_model.module
    left = load_from_local(str(tmp_path / 'round2/final.pth'), map_location='cpu')['state_dict']
    key = 'decode_head.conv_seg.weight'
    assert torch.equal(left[key], teacher.state_dict()[key])
    assert not torch.equal(left[key], runner.model.state_dict()[key])
