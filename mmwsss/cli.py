"""The console script ``mmwsss``: its first word is a command, and the others are flags of the tool of that name."""

import sys
from collections.abc import Mapping, Sequence
from importlib import import_module

import mmwsss
from mmwsss.commands import start

HELP = """Weakly supervised semantic segmentation: images and image-level labels in, a trained segmentor out.

    mmwsss predict dog.jpg                          # a mask with nothing trained
    mmwsss convert folder my_images data/pets       # a data set of your own images
    mmwsss run data/pets/configs                    # all stages on it
"""

# Module of each command in `mmwsss.commands`, in the order of the help.
COMMANDS = ('train', 'test', 'run', 'predict', 'check', 'report', 'export', 'convert')
CONVERSIONS = ('folder', 'voc12', 'coco', 'cityscapes', 'camvid', 'scenes', 'seeds', 'annotations', 'weights')


def main(arguments: Sequence[str] | None = None) -> None:
    """Runs a command line.

    Args:
        arguments (sequence[str], optional): Words behind ``mmwsss``. Defaults to None: those that Python was started
            with.
    """
    words = list(sys.argv[1:] if arguments is None else arguments)
    if words == ['--version']:
        print(f'mmwsss {mmwsss.__version__}')
        return
    name = _take(words, 'mmwsss', HELP, COMMANDS, 'mmwsss.commands')
    if name != 'convert':
        start(import_module(f'mmwsss.commands.{name}'), words, f'mmwsss {name}')
        return
    doc = import_module('mmwsss.commands.convert').__doc__ or ''
    kind = _take(words, 'mmwsss convert', doc, CONVERSIONS, 'mmwsss.commands.convert')
    start(import_module(f'mmwsss.commands.convert.{kind}'), words, f'mmwsss convert {kind}')


def _take(words: list[str], prog: str, doc: str, names: Sequence[str], package: str) -> str:
    """Takes the first word, which is one of the names, off the others; ends with the help or an error otherwise."""
    if words and words[0] in names:
        return words.pop(0)
    if words and words[0] not in ('-h', '--help'):
        sys.exit(f'error: {prog} {words[0]}: expected one of {", ".join(names)}; {prog} --help says more')
    print(_help(prog, doc, {name: import_module(f'{package}.{name}').__doc__ or '' for name in names}))
    sys.exit(0 if words else 2)


def _help(prog: str, doc: str, docs: Mapping[str, str]) -> str:
    width = max(map(len, docs))
    lines = [f'  {name:{width}}  {text.splitlines()[0]}' for name, text in docs.items()]
    return '\n'.join(
        [f'usage: {prog} COMMAND ...', '', doc.strip(), '', *lines, '', f'{prog} COMMAND --help lists the flags.']
    )


if __name__ == '__main__':
    main()
