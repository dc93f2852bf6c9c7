"""Read a whole data set before hours of training; it is `mmwsss check LEAF`."""

from mmwsss.commands import check_data, start

if __name__ == '__main__':
    start(check_data)
