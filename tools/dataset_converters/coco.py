"""Rasterize the objects of COCO and write image-level labels; it is `mmwsss convert coco`."""

from mmwsss.commands import start
from mmwsss.commands.convert import coco

if __name__ == '__main__':
    start(coco)
