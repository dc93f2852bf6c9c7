"""Images of a folder, and maps as blurred as CAMs, that need no network."""

import torch
import torch.nn.functional as F


def pick_images(parser, folder, count):
    """``count`` paths spread over a folder of JPEG and PNG files."""
    paths = sorted(path for path in folder.glob('*') if path.suffix.lower() in ('.jpg', '.jpeg', '.png'))
    if not paths:
        parser.error(f'no images in {folder}')
    return paths[:: max(1, len(paths) // count)][:count]


def rough_cams(size, classes, generator):
    """Smooth random maps (classes, H, W) in [0, 1], each with a maximum of 1."""
    coarse = torch.rand(1, classes, 7, 9, generator=generator) ** 3
    cams = F.interpolate(coarse, size=size, mode='bicubic').clamp_(min=0)[0]
    return cams / cams.amax((1, 2), keepdim=True)
