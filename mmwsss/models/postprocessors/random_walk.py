import numpy as np
import torch
import torch.nn.functional as F
from mmseg.registry import MODELS
from torch import Tensor, nn

from mmwsss.fileio import Seeds
from mmwsss.ops import background_score, random_walk


def pool_to_cells(maps: Tensor, cells: tuple[int, int], stride: int) -> Tensor:
    """Average maps (K, H, W) over the cells of a grid; zeros fill the cells that reach beyond.

    Args:
        maps (Tensor): Floating-point (K, H, W).
        cells (tuple[int, int]): Rows h and columns w of the grid, enough to cover the maps.
        stride (int): Pixels a cell.

    Returns:
        Tensor: (K, h, w).
    """
    height, width = maps.shape[1:]
    return F.avg_pool2d(F.pad(maps, (0, cells[1] * stride - width, 0, cells[0] * stride - height)), stride)


@MODELS.register_module()
class RandomWalk(nn.Module):
    """Spreads the seeds of a photograph over its affinity field.

    Args:
        beta (float): Exponent of the affinities. Defaults to 8.
        num_steps (int): Steps of the walk. Defaults to 256.
        alpha (float): Exponent of the background score. Defaults to 16.
        with_background (bool): Whether a background map competes with the classes. Defaults to True.
        method (str): How :func:`mmwsss.ops.random_walk` computes it. Defaults to ``'auto'``.

    Source: Ahn & Kwak, CVPR 2018, section 3.4.
    """

    def __init__(
        self,
        beta: float = 8.0,
        num_steps: int = 256,
        alpha: float = 16.0,
        with_background: bool = True,
        method: str = 'auto',
    ) -> None:
        super().__init__()
        self.beta = beta
        self.num_steps = num_steps
        self.alpha = alpha
        self.with_background = with_background
        self.method = method

    def forward(self, seeds: Seeds, affinity: Tensor, size: tuple[int, int], stride: int) -> tuple[np.ndarray, Tensor]:
        """Walk.

        Args:
            seeds (Seeds): Activation maps of the photograph.
            affinity (Tensor): Its field (P, h, w).
            size (tuple[int, int]): Height and width in pixels of what the field covers, before padding.
            stride (int): Pixels a cell.

        Returns:
            tuple[ndarray, Tensor]: uint8 (C,) class index of each map, with 0 for the background first, and the walked
            maps (C, h, w).
        """
        cams = torch.as_tensor(seeds.cams, device=affinity.device).float()
        if len(cams):
            cams = F.interpolate(cams[None], size=size, mode='bilinear', align_corners=False)[0]
        else:
            cams = cams.new_zeros(0, *size)
        class_ids = seeds.class_ids
        if self.with_background:
            cams = torch.cat([background_score(cams, self.alpha), cams])
            class_ids = np.concatenate([np.zeros(1, np.uint8), class_ids])
        height, width = affinity.shape[1:]
        if not len(cams):
            return class_ids, cams.new_zeros(0, height, width)
        cells = pool_to_cells(cams, (height, width), stride)
        walked = random_walk(cells[None], affinity[None].float(), self.beta, self.num_steps, self.method)[0]
        return class_ids, walked
