from abc import ABC, abstractmethod

from mmwsss.models.refiners import RefineContext
from mmwsss.structures import Labels, ScoreMaps


class Labeler(ABC):
    """Role: makes labels of score maps.

    Attributes:
        needs (tuple[str, ...]): What of the :class:`RefineContext` it reads: any of 'image', 'affinity', 'features',
            'displacement'.
    """

    needs: tuple[str, ...] = ()

    @abstractmethod
    def label(self, maps: ScoreMaps, context: RefineContext) -> Labels:
        """Label every pixel.

        Args:
            maps (ScoreMaps): Maps of a batch, on any grid.
            context (RefineContext): What else is known of its images; holds what :attr:`needs` names.

        Returns:
            Labels: Labels at the size of the images, 255 where no class is sure enough.
        """

    def __repr__(self) -> str:
        settings = ', '.join(f'{name}={value!r}' for name, value in vars(self).items())
        return f'{type(self).__name__}({settings})'
