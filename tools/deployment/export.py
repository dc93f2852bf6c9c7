"""Write a network as ONNX; it is `mmwsss export`."""

from mmwsss.commands import export, start

if __name__ == '__main__':
    start(export)
