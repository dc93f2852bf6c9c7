"""Segment images or a video with a trained network: masks, overlays and COCO annotations.

With a trained segmentor:
    python demo/image_demo.py IMAGES CONFIG CHECKPOINT
With a localizer, and possibly an affinity model, from the tags of images:
    python demo/image_demo.py IMAGES CONFIG CHECKPOINT --tags cat dog
    python demo/image_demo.py IMAGES CONFIG CHECKPOINT --affinity CONFIG CHECKPOINT --tags cat dog
A config is that of a stage, such as the one that a training leaves in its work directory. `mmwsss predict` does the
same, finds both in the folder of a run, and needs neither for the classes of ImageNet.
"""

import argparse

from mmwsss.commands import predict, run_tool


def parse_args(arguments: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('source', nargs=1, help='image, folder, glob pattern in quotes, or video')
    parser.add_argument('model', nargs=2, metavar=('config', 'checkpoint'), help='of the segmentor or the localizer')
    predict.add_other_arguments(parser)
    return parser.parse_args(arguments)


def main(arguments: list[str] | None = None) -> None:
    predict.run(parse_args(arguments))


if __name__ == '__main__':
    run_tool(main)
