"""Train the model of a stage, or any other of MMSegmentation; it is `mmwsss train`."""

from mmwsss.commands import start, train

if __name__ == '__main__':
    start(train)
