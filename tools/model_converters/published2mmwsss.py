"""Turn weights of other projects into a checkpoint of ours; it is `mmwsss convert weights`."""

from mmwsss.commands import start
from mmwsss.commands.convert import weights

if __name__ == '__main__':
    start(weights)
