"""Run the stages of a method in order, with a table and a report at the end; it is `mmwsss run`."""

from mmwsss.commands import run, start

if __name__ == '__main__':
    start(run)
