"""Write masks, lists and image-level labels of Cityscapes; it is `mmwsss convert cityscapes`."""

from mmwsss.commands import start
from mmwsss.commands.convert import cityscapes

if __name__ == '__main__':
    start(cityscapes)
