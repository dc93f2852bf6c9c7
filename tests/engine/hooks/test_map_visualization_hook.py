"""Pictures of maps during training: which, where, and that the training does not notice."""

import cv2
import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.runner import Runner
from mmseg.registry import HOOKS

from mmwsss.fileio import DataError, write_mask

pytestmark = pytest.mark.usefixtures('mmseg_scope', 'plain_config_text')


@pytest.fixture
def train(tmp_path, image_set):
    """``train(name, model, hooks, backends)``: trains two iterations; the runner and its folder of pictures."""

    def make(name, model, hooks, backends=('LocalVisBackend',)):
        data = image_set([['disc'], ['stripe', 'box'], ['box']], sizes=((40, 56), (56, 40)), root=tmp_path / 'set')
        for image_id, mask in data.masks.items():
            write_mask(data.root / 'affinity' / f'{image_id}.png', mask, [(0, 0, 0)])
        steps = [dict(type='mmwsss.LoadImageFromFile'), dict(type='mmwsss.LoadLabelMap', source='affinity_label')]
        steps += [dict(type='mmwsss.RandomCropOrPad', crop_size=(40, 40)), dict(type='mmwsss.PackWeakInputs')]
        dataset = dict(type='mmwsss.ImageLabelDataset', dataset=data.dataset, image_labels=data.labels, pipeline=steps)
        runner = Runner.from_cfg(
            Config(
                dict(
                    default_scope='mmseg',
                    work_dir=str(tmp_path / name),
                    model=model,
                    train_dataloader=dict(
                        batch_size=2,
                        num_workers=0,
                        sampler=dict(type='InfiniteSampler', shuffle=True),
                        dataset=dict(dataset, affinity_label_dir=str(data.root / 'affinity')),
                    ),
                    train_cfg=dict(type='IterBasedTrainLoop', max_iters=2),
                    optim_wrapper=dict(type='OptimWrapper', optimizer=dict(type='SGD', lr=0.01)),
                    visualizer=dict(
                        type='SegLocalVisualizer', name=name, vis_backends=[dict(type=backend) for backend in backends]
                    ),
                    default_hooks=dict(checkpoint=None),
                    custom_hooks=hooks,
                    randomness=dict(seed=0),
                    experiment_name=name,
                    log_level='ERROR',
                )
            )
        )
        runner.train()
        return runner, tmp_path / name

    return make


def pictures(folder):
    return {path.name: cv2.imread(str(path)) for path in folder.glob('*/vis_data/vis_image/*.png')}


def test_cams_of_the_same_images_are_drawn_and_the_training_is_the_same(train, cam_config):
    hook = dict(type='mmwsss.MapVisualizationHook', interval=1, num_images=2, long_side=48)
    runner, folder = train('drawn', cam_config(3), [hook])
    drawn = pictures(folder)
    assert sorted(drawn) == ['cam_p0_1.png', 'cam_p0_2.png', 'cam_p2_1.png', 'cam_p2_2.png']
    # An image of 40 x 56 whose long side becomes 48, and its map to the right of it.
    assert drawn['cam_p0_1.png'].shape == (34, 96, 3)
    assert runner.model.training
    plain, _ = train('plain', cam_config(3), [])
    for name, value in plain.model.state_dict().items():
        torch.testing.assert_close(runner.model.state_dict()[name], value, rtol=0, atol=0, msg=name)


def test_a_localizer_by_gradients_is_drawn_and_trains_the_same(train, cam_config):
    model = dict(cam_config(3), type='mmwsss.LayerCAM', layers=['backbone.layer4'])
    runner, folder = train('layercam', model, [dict(type='mmwsss.MapVisualizationHook', interval=1, num_images=1)])
    assert sorted(pictures(folder)) == ['cam_p0_1.png', 'cam_p0_2.png']
    plain, _ = train('layercam_plain', model, [])
    for name, value in plain.model.state_dict().items():
        torch.testing.assert_close(runner.model.state_dict()[name], value, rtol=0, atol=0, msg=name)


def test_affinities_are_drawn_as_boundaries(train, affinity_config):
    _, folder = train(
        'affinity', affinity_config(), [dict(type='mmwsss.MapVisualizationHook', interval=2, long_side=64)]
    )
    drawn = pictures(folder)
    assert sorted(drawn) == ['affinity_p0_2.png', 'affinity_p2_2.png', 'affinity_sub_p1_2.png']
    picture = drawn['affinity_p0_2.png']
    assert picture.shape == (40, 112, 3) and np.ptp(picture[:, 56:]) > 50


def test_tensorboard_gets_the_pictures(train, cam_config):
    pytest.importorskip('tensorboard', reason='TensorBoard is not installed')
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    hook = dict(type='mmwsss.MapVisualizationHook', interval=2, num_images=1)
    _, folder = train('board', cam_config(3), [hook], ['TensorboardVisBackend'])
    events = EventAccumulator(str(next(folder.glob('*/vis_data'))))
    events.Reload()
    assert events.Tags()['images'] == ['cam_p0'] and events.Images('cam_p0')[0].step == 2


def test_mlflow_gets_the_pictures(train, cam_config):
    mlflow = pytest.importorskip('mlflow', reason='MLflow is not installed')
    hook = dict(type='mmwsss.MapVisualizationHook', interval=1, num_images=1)
    _, folder = train('flow', cam_config(3), [hook], ['mmwsss.MLflowImageBackend'])
    (database,) = folder.glob('*/vis_data/mlflow.db')
    client = mlflow.MlflowClient(f'sqlite:///{database}')
    (logged,) = client.search_runs([client.get_experiment_by_name('mmwsss').experiment_id])
    stored = [artifact.path for artifact in client.list_artifacts(logged.info.run_id)]
    assert sorted(stored) == ['cam_p0_1.png', 'cam_p0_2.png', 'config.py']
    assert logged.data.params['train_cfg.max_iters'] == '2'


def test_wandb_gets_the_pictures(train, cam_config, monkeypatch):
    pytest.importorskip('wandb', reason='W&B is not installed')
    monkeypatch.setenv('WANDB_MODE', 'offline')
    hook = dict(type='mmwsss.MapVisualizationHook', interval=2, num_images=1)
    _, folder = train('wandb', cam_config(3), [hook], ['mmwsss.WandbRunBackend'])
    assert len(list(folder.glob('*/vis_data/wandb/offline-run-*/files/media/images/cam_p0_*.png'))) == 1


def test_networks_without_maps_and_wrong_arguments_are_refused(train):
    class Plain(torch.nn.Module):
        pass

    class FakeRunner:
        model = Plain()

    with pytest.raises(DataError, match='MapVisualizationHook: expected a Localizer or an AffinityModel, got Plain'):
        HOOKS.build(dict(type='mmwsss.MapVisualizationHook')).before_train(FakeRunner())
    with pytest.raises(ValueError, match='interval must be at least 1, got 0'):
        HOOKS.build(dict(type='mmwsss.MapVisualizationHook', interval=0))
