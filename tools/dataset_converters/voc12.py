"""Complete PASCAL VOC 2012: masks of SBD, lists and image-level labels; it is `mmwsss convert voc12`."""

from mmwsss.commands import start
from mmwsss.commands.convert import voc12

if __name__ == '__main__':
    start(voc12)
