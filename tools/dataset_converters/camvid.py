"""Check CamVid and write its image-level labels; it is `mmwsss convert camvid`."""

from mmwsss.commands import start
from mmwsss.commands.convert import camvid

if __name__ == '__main__':
    start(camvid)
