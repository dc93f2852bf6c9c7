from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from mmwsss.registry import MODELS
from mmwsss.structures import Labels, ScoreMaps

from .labelers import Labeler
from .refiners import RefineContext, Refiner

# What gives what a member needs.
_CURES = MappingProxyType(
    dict(
        affinity='run the chain in the stage of an affinity model, such as AffinityNet',
        displacement='set instances=True of IRNet, the affinity model of the stage',
        features='set feature_index of the localizer, or feature_dir of StoredMaps',
    )
)


@dataclass(frozen=True)
class ChainResult:
    """What a chain made of the score maps of a batch.

    Attributes:
        maps (tuple[ScoreMaps, ...]): The maps it was given, and those after each refiner.
        labels (Labels): The labels at its end.
    """

    maps: tuple[ScoreMaps, ...]
    labels: Labels


class LabelChain:
    """Refiners one after the other, then a labeler: how score maps become labels, wherever they do.

    Args:
        labeler (dict | Labeler): Config of a labeler.
        refiners (sequence[dict | Refiner]): Configs of refiners, in their order. Defaults to ().

    Raises:
        ValueError: In a call, if a member needs something that is not there, such as affinities.
    """

    def __init__(
        self, labeler: Mapping[str, Any] | Labeler, refiners: Sequence[Mapping[str, Any] | Refiner] = ()
    ) -> None:
        self.refiners: list[Refiner] = [one if isinstance(one, Refiner) else MODELS.build(one) for one in refiners]
        self.labeler: Labeler = labeler if isinstance(labeler, Labeler) else MODELS.build(labeler)

    def needs(self, done: int = 0) -> set[str]:
        """What of a :class:`RefineContext` the members need, without the first ``done`` refiners."""
        return {need for member in self.members[done:] for need in member.needs}

    @property
    def members(self) -> list[Refiner | Labeler]:
        """The refiners, then the labeler."""
        return [*self.refiners, self.labeler]

    def check(self, context: RefineContext) -> None:
        """Refuses a context that lacks what a member needs.

        Raises:
            ValueError: Naming the member and what it needs.
        """
        for member in self.members:
            _check_needs(member, context)

    def refine_on_device(self, maps: ScoreMaps, context: RefineContext) -> tuple[ScoreMaps, ...]:
        """The maps, and those after each of the first refiners that work on their device."""
        made = [maps]
        for refiner in self.refiners:
            if not refiner.on_device:
                break
            made.append(self._refine(refiner, made[-1], context))
        return tuple(made)

    def __call__(self, maps: ScoreMaps | Sequence[ScoreMaps], context: RefineContext) -> ChainResult:
        """Make labels.

        Args:
            maps (ScoreMaps | sequence[ScoreMaps]): Class maps, or what :meth:`refine_on_device` made of them.
            context (RefineContext): What else is known of the images.
        """
        made = [maps] if isinstance(maps, ScoreMaps) else list(maps)
        for refiner in self.refiners[len(made) - 1 :]:
            made.append(self._refine(refiner, made[-1], context))
        _check_needs(self.labeler, context)
        return ChainResult(tuple(made), self.labeler.label(made[-1], context))

    @staticmethod
    def _refine(refiner: Refiner, maps: ScoreMaps, context: RefineContext) -> ScoreMaps:
        _check_needs(refiner, context)
        return refiner.refine(maps, context)

    def __repr__(self) -> str:
        return f'{type(self).__name__}({self.members})'


def _check_needs(member: Refiner | Labeler, context: RefineContext) -> None:
    known = dict(
        image=context.sources,
        affinity=context.affinity,
        displacement=getattr(context.affinity, 'displacement', None),
        features=context.features,
    )
    for name in member.needs:
        if known[name] is None:
            cure = _CURES.get(name)
            raise ValueError(
                f'{type(member).__name__} of a label chain needs the {name} of each image, which is not there'
                + (f'; {cure}' if cure else '')
            )
