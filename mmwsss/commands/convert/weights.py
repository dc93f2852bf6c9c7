"""Turn weights of PSA, SEAM, IRN, ademxapp (MXNet), DeepLab (Caffe), torchvision or timm into a checkpoint of ours."""

import argparse


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument('src', help='.pth, .safetensors, .params of MXNet or .caffemodel; what it is of is found out')
    parser.add_argument('dst', help='checkpoint to write')


def run(args: argparse.Namespace) -> None:
    from mmwsss.converters.weights import convert_checkpoint, listed

    conversion = convert_checkpoint(args.src, args.dst)
    print(f'{args.src}: {conversion.description}')
    if conversion.dropped:
        print(f'left out: {listed(conversion.dropped)}')
    print(f'{args.dst}: {len(conversion.state_dict)} tensors, for')
    for part, config in conversion.model.items():
        print(f'    {part}={config}')
