"""Make a data set of your own folder of images, and configs that train on it; it is `mmwsss convert folder`."""

from mmwsss.commands import start
from mmwsss.commands.convert import folder

if __name__ == '__main__':
    start(folder)
