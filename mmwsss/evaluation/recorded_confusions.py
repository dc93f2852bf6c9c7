"""Hands what a metric counted to the tool that runs the test, which writes it beside the figures."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from mmengine.logging import MessageHub

_PREFIX = 'confusion/'


def record_confusion(name: str, confusion: np.ndarray, classes: Sequence[str]) -> None:
    """Notes a confusion matrix in the message hub of the run; checkpoints leave it out.

    Args:
        name (str): What was measured, such as 'random_walk'.
        confusion (ndarray): Counts of pixels (C, C) or (C, C + 1), rows are the truth.
        classes (sequence[str]): C names.
    """
    noted = dict(classes=list(classes), counts=np.asarray(confusion).tolist())
    MessageHub.get_current_instance().update_info(_PREFIX + name, noted, resumed=False)


def recorded_confusions(hub: MessageHub) -> dict[str, Mapping[str, Any]]:
    """The matrices that metrics noted in a message hub, by name: `classes` and `counts`."""
    return {name.removeprefix(_PREFIX): noted for name, noted in hub.runtime_info.items() if name.startswith(_PREFIX)}
