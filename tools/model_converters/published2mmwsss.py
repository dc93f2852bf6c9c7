"""Turn weights of PSA, SEAM, IRN, ademxapp (MXNet), DeepLab (Caffe), torchvision or timm into a checkpoint of ours."""

import argparse

from mmwsss.converters.weights import convert_checkpoint, listed
from mmwsss.engine.launch import run_tool


def parse_args(arguments: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('src', help='.pth, .safetensors, .params of MXNet or .caffemodel; what it is of is found out')
    parser.add_argument('dst', help='checkpoint to write')
    return parser.parse_args(arguments)


def main() -> None:
    args = parse_args()
    conversion = convert_checkpoint(args.src, args.dst)
    print(f'{args.src}: {conversion.description}')
    if conversion.dropped:
        print(f'left out: {listed(conversion.dropped)}')
    print(f'{args.dst}: {len(conversion.state_dict)} tensors, for')
    for part, config in conversion.model.items():
        print(f'    {part}={config}')


if __name__ == '__main__':
    run_tool(main)
