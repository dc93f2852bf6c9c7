"""Packs a part of PASCAL VOC, in its own layout, with images and masks at a long side of 320 pixels.

    python .dev/gpu/pack_images.py images.tar --voc /path/to/VOC2012 --max-mib 30

Images of the lists come in an order that depends on their names alone, those of the shorter lists first, until the
archive is full; the lists in it name what is there.
"""

import argparse
import hashlib
import io
import json
import tarfile
from pathlib import Path

from PIL import Image

LISTS = ('six_val2007', 'six_train', 'six_trainaug')
SPARE = 1024


def add(archive, name, content):
    info = tarfile.TarInfo(name)
    info.size = len(content)
    archive.addfile(info, io.BytesIO(content))


def size_of(image, long_side):
    scale = min(1, long_side / max(image.size))
    return tuple(max(1, round(side * scale)) for side in image.size)


def shrunk(path, long_side, quality):
    """An image as JPEG, or a mask as PNG with its palette."""
    image = Image.open(path)
    buffer = io.BytesIO()
    if path.suffix == '.png':
        small = image.resize(size_of(image, long_side), Image.Resampling.NEAREST)
        small.save(buffer, format='PNG', optimize=True)
    else:
        small = image.convert('RGB').resize(size_of(image, long_side), Image.Resampling.LANCZOS)
        small.save(buffer, format='JPEG', quality=quality, optimize=True)
    return buffer.getvalue()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('archive', help='.tar to write')
    parser.add_argument('--voc', type=Path, required=True, help='folder with JPEGImages and image_labels.json')
    parser.add_argument('--max-mib', type=float, default=30)
    parser.add_argument('--long-side', type=int, default=320)
    parser.add_argument('--quality', type=int, default=80, help='of JPEG')
    args = parser.parse_args()

    lists = {name: (args.voc / f'ImageSets/Segmentation/{name}.txt').read_text().split() for name in LISTS}
    labels = json.loads((args.voc / 'image_labels.json').read_text())
    order, packed, left = {}, set(), args.max_mib * 2**20
    for ids in lists.values():
        order.update(dict.fromkeys(sorted(ids, key=lambda one: hashlib.sha256(one.encode()).digest())))
    with tarfile.open(args.archive, 'w') as archive:
        for image_id in order:
            paths = [args.voc / f'JPEGImages/{image_id}.jpg', args.voc / f'SegmentationClass/{image_id}.png']
            files = {path: shrunk(path, args.long_side, args.quality) for path in paths if path.is_file()}
            left -= sum(len(content) + SPARE for content in files.values())
            if left < 0:
                break
            packed.add(image_id)
            for path, content in files.items():
                add(archive, path.relative_to(args.voc).as_posix(), content)
        for name, ids in lists.items():
            kept = [one for one in ids if one in packed]
            add(archive, f'ImageSets/Segmentation/{name}.txt', ''.join(f'{one}\n' for one in kept).encode())
            print(f'{name}: {len(kept)} of {len(ids)} images')
        add(archive, 'image_labels.json', json.dumps({one: labels[one] for one in sorted(packed)}).encode())


if __name__ == '__main__':
    main()
