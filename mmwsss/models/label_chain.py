from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

from torch import Tensor

from mmwsss.ops.maps import IGNORE_INDEX, label_of_scores, share_of_agreement
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

    Labels that other ways to make them contradict are doubtful. Such witnesses are the best class after some of the
    refiners, or other chains on the same maps.

    Args:
        labeler (dict | Labeler): Config of a labeler.
        refiners (sequence[dict | Refiner]): Configs of refiners, in their order. Defaults to ().
        witnesses (sequence[int | dict]): For each witness, a number of refiners after which maps have all classes,
            the background included, or arguments of another chain; its labeler is by default that of this one.
            Defaults to (): none.
        agreement (str): What happens to a pixel of which a witness says another class: ``'ignore'`` makes it 255,
            ``'weight'`` multiplies its weight by the share of those that agree, this chain among them. Defaults to
            ``'ignore'``.

    Raises:
        ValueError: If ``agreement`` is none of these, or a number of refiners is none of a map before the end; in a
            call, if a member needs something that is not there, such as affinities, or a witness has no background.
    """

    def __init__(
        self,
        labeler: Mapping[str, Any] | Labeler,
        refiners: Sequence[Mapping[str, Any] | Refiner] = (),
        witnesses: Sequence[int | Mapping[str, Any]] = (),
        agreement: str = 'ignore',
    ) -> None:
        self.refiners: list[Refiner] = [one if isinstance(one, Refiner) else MODELS.build(one) for one in refiners]
        self.labeler: Labeler = labeler if isinstance(labeler, Labeler) else MODELS.build(labeler)
        if agreement not in ('ignore', 'weight'):
            raise ValueError(f"agreement of a label chain must be 'ignore' or 'weight', got {agreement!r}")
        self.agreement = agreement
        self.witnesses = [self._witness(one) for one in witnesses]

    def _witness(self, one: 'int | Mapping[str, Any]') -> 'int | LabelChain':
        if not isinstance(one, int):
            return LabelChain(**{'labeler': self.labeler, **one})
        if not 0 <= one < len(self.refiners):
            raise ValueError(
                f'a witness of a label chain must be a number of refiners below {len(self.refiners)}, which the chain '
                f'has, got {one}'
            )
        return one

    def needs(self, done: int = 0) -> set[str]:
        """What of a :class:`RefineContext` the members need, without the first ``done`` refiners."""
        others = {need for one in self.witnesses if isinstance(one, LabelChain) for need in one.needs()}
        return {need for member in self.members[done:] for need in member.needs} | others

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
        for one in self.witnesses:
            if isinstance(one, LabelChain):
                one.check(context)

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
        labels = self.labeler.label(made[-1], context)
        return ChainResult(tuple(made), self._heard(labels, made, context) if self.witnesses else labels)

    def _heard(self, labels: Labels, made: Sequence[ScoreMaps], context: RefineContext) -> Labels:
        """The labels once the witnesses were heard."""
        share = share_of_agreement([labels.best, *(self._said(one, made, context) for one in self.witnesses)])
        if self.agreement == 'ignore':
            return replace(labels, labels=labels.labels.masked_fill(share < 1, IGNORE_INDEX))
        return replace(labels, weights=share if labels.weights is None else share * labels.weights)

    @staticmethod
    def _said(witness: 'int | LabelChain', made: Sequence[ScoreMaps], context: RefineContext) -> Tensor:
        """Best class of each pixel, uint8 (B, H, W), as a witness sees it."""
        if isinstance(witness, LabelChain):
            return witness(made[0], context).labels.best
        maps = made[witness]
        if maps.with_background and not maps.has_background:
            raise ValueError(
                f'the maps after {witness} refiners have no background to bear witness of; expected dict(refiners='
                "[dict(type='mmwsss.Background', ...)]) in place of the number"
            )
        return label_of_scores(maps.at_image_size, maps.class_ids)

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
