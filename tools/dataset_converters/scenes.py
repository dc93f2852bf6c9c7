"""Generate the built-in data set; it is `mmwsss convert scenes`."""

from mmwsss.commands import start
from mmwsss.commands.convert import scenes

if __name__ == '__main__':
    start(scenes)
