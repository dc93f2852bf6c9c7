"""Test the model of a stage: write seeds, affinity labels or pseudo masks, or evaluate; it is `mmwsss test`."""

from mmwsss.commands import start, test

if __name__ == '__main__':
    start(test)
