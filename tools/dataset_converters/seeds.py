"""Convert seeds of other code to ours and back; it is `mmwsss convert seeds`."""

from mmwsss.commands import start
from mmwsss.commands.convert import seeds

if __name__ == '__main__':
    start(seeds)
