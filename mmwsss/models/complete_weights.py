from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from mmengine.model import BaseModel

from mmwsss.fileio.state_dicts import check_state_dict


class CompleteWeights(BaseModel):
    """A model that is tested with all of its weights or not at all, whoever loads its checkpoint.

    mmengine loads what fits and warns of the rest: a test with a checkpoint of another network would be one of random
    weights. Here, a model that was not initialized takes only a checkpoint that holds each of its parameters. A
    training initializes its model before it loads anything, so that it may start from a part of a checkpoint, and so
    may any ``init_cfg``. ``model.load_state_dict(state_dict, strict=False)`` loads a part at any time.

    Raises:
        DataError: When a checkpoint is loaded, if it lacks a parameter or has one of another shape.
    """

    _takes_a_part = False

    def init_weights(self) -> None:
        with self._taking_a_part():
            super().init_weights()

    def load_state_dict(self, state_dict: Mapping[str, Any], *args: Any, **kwargs: Any) -> Any:
        # Torch checks as it is told to.
        with self._taking_a_part():
            return super().load_state_dict(state_dict, *args, **kwargs)

    @contextmanager
    def _taking_a_part(self) -> Iterator[None]:
        before, self._takes_a_part = self._takes_a_part, True
        try:
            yield
        finally:
            self._takes_a_part = before

    def _load_from_state_dict(self, state_dict: dict, prefix: str, *args: Any) -> None:
        # EMAHook keeps a frozen copy of the model from before the initialization.
        frozen = not any(parameter.requires_grad for parameter in self.parameters())
        if not (self.is_init or self._takes_a_part or frozen):
            own = {name.removeprefix(prefix): value for name, value in state_dict.items() if name.startswith(prefix)}
            check_state_dict(self, own, 'checkpoint')
        super()._load_from_state_dict(state_dict, prefix, *args)
