"""Feed the readers of files with damaged and made-up content: anything but a DataError is a bug.

    python .dev/fuzz.py                          # every reader for a minute
    python .dev/fuzz.py seeds coco --minutes 10

Content is either a whole file with bytes flipped, cut out, put in and swapped, or text made up along the grammar of its
format. A failure ends the run with the smallest content that hypothesis could find for it.
"""

import argparse
import io
import json
import struct
import tempfile
import time
from collections.abc import Callable, Iterable, Mapping
from functools import cache, partial
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
import torch
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from PIL import Image

from mmwsss.commands import run_tool
from mmwsss.converters.annotations.coco import read_coco, write_coco
from mmwsss.converters.annotations.cvat import read_cvat, write_cvat
from mmwsss.converters.annotations.files import AnnotatedImage
from mmwsss.converters.annotations.label_set import LabelSet
from mmwsss.converters.annotations.label_studio import read_label_studio, write_label_studio
from mmwsss.converters.weights.readers import read_tensors
from mmwsss.datasets.image_labels import read_image_labels
from mmwsss.engine import load_from_local
from mmwsss.fileio import DataError, Seeds, read_image, read_mask, read_seeds, write_mask, write_seeds
from mmwsss.fileio.affinities import read_affinity, write_affinity
from mmwsss.fileio.coco_instances import read_instances, write_instances
from mmwsss.fileio.feature_tables import read_feature_table, write_feature_table
from mmwsss.fileio.features import read_features, write_features
from mmwsss.fileio.npy_seeds import read_npy_seeds
from mmwsss.fileio.pixel_weights import read_pixel_weights, write_pixel_weights
from mmwsss.structures import AffinityField


class Target(NamedTuple):
    """A reader to fuzz.

    Attributes:
        name (str): File name that the content gets.
        contents (strategy): Of bytes.
        read (callable): Reads a file and returns; raises nothing but :class:`DataError`.
    """

    name: str
    contents: st.SearchStrategy[bytes]
    read: Callable[[str], object]


@st.composite
def damaged(draw: st.DrawFn, whole: Iterable[bytes]) -> bytes:
    """A whole file after a few changes."""
    content = bytearray(draw(st.sampled_from(list(whole))))
    for _ in range(draw(st.integers(0, 6))):
        if not content:
            break
        start = draw(st.integers(0, len(content) - 1))
        length = draw(st.integers(0, min(64, len(content) - start)))
        change = draw(st.sampled_from(['flip', 'cut', 'insert', 'overwrite', 'copy', 'end']))
        if change == 'flip':
            content[start] ^= 1 << draw(st.integers(0, 7))
        elif change == 'cut':
            del content[start : start + length]
        elif change == 'end':
            del content[start:]
        elif change == 'copy':
            content[start:start] = content[start : start + length]
        else:
            new = draw(st.binary(max_size=16) | st.sampled_from([b'\xff' * 4, b'\0' * 4, b'\x7f\xff\xff\xff', b'../']))
            content[start : start + (len(new) if change == 'overwrite' else 0)] = new
    return bytes(content)


def _made_by(write: Callable[[str], None], suffix: str) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, f'whole{suffix}')
        write(str(path))
        return path.read_bytes()


def _whole_images() -> list[bytes]:
    coarse = np.random.default_rng(0).integers(0, 256, (4, 5, 3), dtype=np.uint8)
    image = cv2.resize(coarse, (37, 29), interpolation=cv2.INTER_CUBIC)
    picture, exif = Image.fromarray(image), Image.Exif()
    exif[0x0112] = 6
    images = [cv2.imencode(suffix, image)[1].tobytes() for suffix in ('.jpg', '.png', '.bmp', '.tiff', '.webp')]
    for kind, options in (
        ('JPEG', dict(exif=exif)),
        ('JPEG', dict(progressive=True)),
        ('PNG', dict(exif=exif)),
        ('GIF', {}),
        ('PPM', {}),
        ('JPEG2000', {}),
        ('TIFF', dict(compression='tiff_lzw')),
    ):
        buffer = io.BytesIO()
        picture.save(buffer, kind, **options)
        images.append(buffer.getvalue())
    return images


def _whole_masks() -> list[bytes]:
    mask = np.arange(600, dtype=np.uint8).reshape(20, 30)
    masks = [_made_by(partial(write_mask, mask=mask, palette=[(1, 2, 3)] * 256), '.png')]
    for kind, array in (
        ('PNG', mask.astype(np.uint16)),
        ('TIFF', mask),
        ('BMP', mask),
        ('GIF', mask),
        ('PNG', mask > 9),
    ):
        buffer = io.BytesIO()
        Image.fromarray(array).save(buffer, kind)
        masks.append(buffer.getvalue())
    return masks


def _whole_seeds() -> list[bytes]:
    rng = np.random.default_rng(0)
    seeds = [
        Seeds(np.arange(1, count + 1, dtype=np.uint8), rng.random((count, 5, 7)).astype(np.float16), (38, 51))
        for count in (0, 2)
    ]
    packed = [_made_by(partial(write_seeds, seeds=one), '.npz') for one in seeds]
    buffer = io.BytesIO()
    np.savez(buffer, **{**seeds[1]._asdict(), 'size': np.array(seeds[1].size, np.int32)})
    return [*packed, buffer.getvalue()]


def _made_up_seeds() -> st.SearchStrategy[bytes]:
    def pack(**members: np.ndarray) -> bytes:
        buffer = io.BytesIO()
        np.savez(buffer, **{name: array for name, array in members.items() if array is not None})
        return buffer.getvalue()

    def array(*dtypes: str, dims: int) -> st.SearchStrategy[np.ndarray]:
        shapes = array_shapes(min_dims=max(dims - 1, 0), max_dims=dims + 1, min_side=0, max_side=4)
        return st.none() | st.sampled_from(dtypes).flatmap(lambda dtype: arrays(dtype, shapes))

    return st.builds(
        pack,
        class_ids=array('u1', 'u1', 'i8', 'f4', 'U3', dims=1),
        cams=array('f2', 'f2', 'f8', 'c8', 'u1', dims=3),
        size=array('i4', 'i8', 'f4', 'M8[s]', dims=1),
    )


def _whole_checkpoints() -> list[bytes]:
    content = dict(state_dict=dict(weight=torch.arange(4.0)), meta=dict(iter=3), message_hub={})
    return [_made_by(partial(torch.save, content, _use_new_zipfile_serialization=new), '.pth') for new in (True, False)]


def _whole_npy_seeds() -> list[bytes]:
    maps = np.linspace(0, 1, 96, dtype=np.float32).reshape(2, 6, 8)
    keys = np.array([0, 2])
    contents = [
        {0: maps[0], 2: maps[1]},
        dict(keys=torch.from_numpy(keys), high_res=maps, cam=torch.from_numpy(maps)),
        dict(keys=keys, attn_highres=maps.astype(np.float16)),
    ]
    files = []
    for content in contents:
        buffer = io.BytesIO()
        np.save(buffer, content, allow_pickle=True)
        files.append(buffer.getvalue())
    return files


def _whole_affinities() -> list[bytes]:
    rng = np.random.default_rng(0)
    edge = rng.random((5, 6), np.float32)
    fields = [
        AffinityField(rng.random((4, 5, 6), np.float32), (40, 48), 8),
        AffinityField(np.ones((4, 5, 6), np.float32), (40, 48), 8, edge, rng.random((2, 5, 6), np.float32)),
    ]
    return [_made_by(partial(write_affinity, field=field), '.npz') for field in fields]


def _whole_features() -> list[bytes]:
    return [_made_by(partial(write_features, features=np.linspace(0, 1, 24).reshape(4, 2, 3)), '.npz')]


def _whole_feature_tables() -> list[bytes]:
    rows = np.linspace(0, 1, 8).reshape(2, 4)
    return [_made_by(partial(write_feature_table, image_ids=['a', 'sub/b'], features=rows), '.npy')]


def _whole_pixel_weights() -> list[bytes]:
    return [_made_by(partial(write_pixel_weights, weights=np.linspace(0, 1, 600).reshape(20, 30)), '.png')]


def _whole_instances() -> list[bytes]:
    masks = np.stack([np.eye(6, 5, dtype=bool), np.ones((6, 5), bool)])
    content = dict(file_name='a.jpg', masks=masks, class_ids=[1, 2], scores=[0.5, 1.0])
    return [_made_by(partial(write_instances, **content), '.json')]


def _labels() -> LabelSet:
    return LabelSet(['background', 'cat', 'dog'])


def _exported(write: Callable[..., Path], **options: object) -> bytes:
    """What is written for an annotation tool."""
    mask = np.zeros((7, 9), np.uint8)
    mask[1:4, 2:6], mask[5:, :3], mask[0, 8] = 1, 2, 255
    with tempfile.TemporaryDirectory() as folder:
        return Path(write([AnnotatedImage('a', 'a.jpg', mask)], folder, _labels(), **options)).read_bytes()


def _all_of(read: Callable[..., Iterable]) -> Callable[[str], list]:
    return lambda path: list(read(path, _labels()))


def _mxnet_weights() -> bytes:
    array = struct.pack('<IiI2q3i', 0xF993FAC9, 0, 2, 2, 3, 1, 0, 0) + np.arange(6, dtype='<f4').tobytes()
    names = b''.join(struct.pack('<Q', len(name)) + name for name in (b'arg:a_weight', b'aux:b'))
    return struct.pack('<3Q', 0x112, 0, 2) + array * 2 + struct.pack('<Q', 2) + names


def _caffe_weights() -> bytes:
    def field(number: int, content: bytes) -> bytes:
        tag = number << 3 | 2
        return bytes([tag] if tag < 128 else [tag & 127 | 128, tag >> 7]) + bytes([len(content)]) + content

    blob = field(7, field(1, bytes([2, 3]))) + field(5, np.arange(6, dtype='<f4').tobytes())
    old = b'\x08\x01\x10\x01\x18\x02\x20\x03' + field(5, np.arange(6, dtype='<f4').tobytes())
    return field(100, field(1, b'conv1') + field(7, blob) * 2) + field(2, field(4, b'fc') + field(6, old))


def _safetensors_weights() -> bytes:
    header = json.dumps(dict(a=dict(dtype='F32', shape=[2, 3], data_offsets=[0, 24]))).encode()
    return struct.pack('<Q', len(header)) + header + np.arange(6, dtype='<f4').tobytes()


_NAMES = st.sampled_from(['cat', 'dog', '', '../up', '/abs', 'a/b', 'ü x']) | st.text(max_size=8)
_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | _NAMES,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_NAMES, inner, max_size=4),
    max_leaves=12,
)
_LABELS = {'a': ['cat'], 'sub/b': ['cat', 'dog'], 'c.1': []}
_COCO = dict(
    images=[dict(id=1, file_name='a.jpg'), dict(id=2, file_name='sub/b.png')],
    annotations=[dict(image_id=1, category_id=7), dict(image_id=2, category_id=9)],
    categories=[dict(id=7, name='cat'), dict(id=9, name='dog')],
)
_VOC = b'<annotation><filename>x.jpg</filename><object><name>cat</name></object></annotation>'


def _annotated_tasks() -> bytes:
    """Predictions of Label Studio as annotations, which somebody has looked at; and a polygon."""
    tasks = json.loads(_exported(write_label_studio))
    for task in tasks:
        task['annotations'] = task.pop('predictions')
        region = dict(task['annotations'][0]['result'][0], type='polygonlabels')
        region['value'] = dict(points=[[0, 0], [50, 0], [50, 50.5]], polygonlabels=['dog'])
        task['annotations'][0]['result'].append(region)
        task['data'].pop('file_name')
    return json.dumps(tasks).encode()


@st.composite
def mutated(draw: st.DrawFn, whole: bytes) -> bytes:
    """A JSON file with a few of its values, at any depth, in the place of which others stand."""
    content = json.loads(whole)
    for _ in range(draw(st.integers(1, 3))):
        parent, key, value = None, None, content
        while isinstance(value, dict | list) and value and (parent is None or draw(st.booleans())):
            parent, key = value, draw(st.sampled_from(sorted(value) if isinstance(value, dict) else range(len(value))))
            value = parent[key]
        if parent is not None:
            parent[key] = draw(
                _VALUES | st.sampled_from([-1, 10**12, 1e308, [[]], {}, 'http://[x', '?d=%00', [1, [2]]])
            )
    return json.dumps(content).encode()


def _as_json(values: st.SearchStrategy) -> st.SearchStrategy[bytes]:
    return values.map(lambda value: json.dumps(value).encode())


def _coco() -> st.SearchStrategy[bytes]:
    def table(**columns):
        return st.lists(st.fixed_dictionaries({}, optional=columns) | _VALUES, max_size=4) | _VALUES

    index = st.integers(0, 3) | _VALUES
    return _as_json(
        st.fixed_dictionaries(
            dict(
                images=table(id=index, file_name=_NAMES | _VALUES),
                annotations=table(image_id=index, category_id=index),
                categories=table(id=index, name=_NAMES | _VALUES),
            )
        )
    )


def _xml() -> st.SearchStrategy[bytes]:
    tags = st.sampled_from(['annotation', 'object', 'name', 'part', 'a:b', 'ü'])
    text = _NAMES | st.sampled_from(['&lt;', '&x;', '<![CDATA[cat]]>', '<!-- -->', '<?x y?>'])
    tree = st.recursive(
        text,
        lambda inner: st.builds(
            lambda tag, parts: f'<{tag}>{"".join(parts)}</{tag}>', tags, st.lists(inner, max_size=4)
        ),
        max_leaves=8,
    )
    heads = st.sampled_from(
        [
            '',
            '<?xml version="1.0" encoding="utf-16"?>',
            '<?xml version="1.0" encoding="nonsense"?>',
            '<!DOCTYPE annotation [<!ENTITY x "cat">]>',
            '<!DOCTYPE annotation [<!ENTITY x SYSTEM "file:///etc/hostname">]>',
        ]
    )
    return st.builds(lambda head, body: (head + body).encode(errors='replace'), heads, tree)


def _whole_files() -> list[bytes]:
    """Of each kind."""
    wholes = (
        *(_whole_images(), _whole_masks(), _whole_seeds(), _whole_checkpoints(), _whole_npy_seeds()),
        *(_whole_affinities(), _whole_features(), _whole_feature_tables(), _whole_pixel_weights(), _whole_instances()),
        [_mxnet_weights(), _caffe_weights(), _safetensors_weights(), _VOC, json.dumps(_COCO).encode()],
    )
    return [content for contents in wholes for content in contents]


@cache
def targets() -> Mapping[str, Target]:
    """All readers by name."""
    rows = st.lists(st.lists(_NAMES, max_size=4).map(','.join), max_size=6).map('\n'.join)
    made = dict(
        image=Target('f.jpg', damaged(_whole_images()) | st.binary(max_size=64), read_image),
        mask=Target('f.png', damaged(_whole_masks()) | st.binary(max_size=64), read_mask),
        seeds=Target('f.npz', damaged(_whole_seeds()) | _made_up_seeds() | st.binary(max_size=64), read_seeds),
        checkpoint=Target('f.pth', damaged(_whole_checkpoints()) | st.binary(max_size=64), load_from_local),
        json=Target(
            'f.json',
            damaged([json.dumps(_LABELS).encode()])
            | _as_json(st.dictionaries(_NAMES, st.lists(_NAMES, max_size=3) | _VALUES) | _VALUES)
            | st.binary(max_size=64),
            read_image_labels,
        ),
        coco=Target('f.json', damaged([json.dumps(_COCO).encode()]) | _coco(), read_image_labels),
        csv=Target(
            'f.csv',
            damaged(
                [
                    b'a,cat\n\nsub/b, cat ,dog,\n"c",dog\n',
                    b'\xef\xbb\xbfimage;cat;dog\r\na;1;0\r\nsub/b;x;yes\r\n',
                    b'image\ttags\na\tcat|dog\nb\t\n',
                ]
            )
            | rows.map(lambda text: text.encode(errors='surrogatepass'))
            | st.binary(max_size=64),
            read_image_labels,
        ),
        npy_seeds=Target('f.npy', damaged(_whole_npy_seeds()) | st.binary(max_size=64), read_npy_seeds),
        mxnet=Target('f.params', damaged([_mxnet_weights()]), read_tensors),
        caffe=Target('f.caffemodel', damaged([_caffe_weights()]) | st.binary(max_size=64), read_tensors),
        safetensors=Target('f.safetensors', damaged([_safetensors_weights()]), read_tensors),
        affinity=Target('f.npz', damaged(_whole_affinities()) | st.binary(max_size=64), read_affinity),
        features=Target('f.npz', damaged(_whole_features()) | st.binary(max_size=64), read_features),
        feature_table=Target('f.npy', damaged(_whole_feature_tables()) | st.binary(max_size=64), read_feature_table),
        pixel_weights=Target('f.png', damaged(_whole_pixel_weights()) | st.binary(max_size=64), read_pixel_weights),
        instances=Target('f.json', damaged(_whole_instances()) | _as_json(_VALUES), read_instances),
        coco_masks=Target(
            'f.json',
            damaged([_exported(write_coco, polygons=polygons, tolerance=0.5) for polygons in (False, True)])
            | mutated(_exported(write_coco, polygons=False, tolerance=0.5)),
            _all_of(read_coco),
        ),
        label_studio=Target(
            'f.json',
            damaged([_exported(write_label_studio)]) | mutated(_annotated_tasks()),
            _all_of(read_label_studio),
        ),
        cvat=Target(
            'f.xml',
            damaged([_exported(write_cvat, polygons=polygons, tolerance=0.5) for polygons in (False, True)])
            | _xml()
            | st.binary(max_size=64),
            _all_of(read_cvat),
        ),
        xml=Target(
            'f.xml',
            damaged([_VOC]) | _xml() | st.binary(max_size=64),
            lambda path: read_image_labels(Path(path).parent, ['f']),
        ),
    )
    # A file of another kind under the name of the right one.
    foreign = st.sampled_from(_whole_files())
    return {name: target._replace(contents=target.contents | foreign) for name, target in made.items()}


def fuzz(name: str, examples: int, number: int = 0) -> None:
    """Feed a reader with contents.

    Args:
        name (str): One of :func:`targets`.
        examples (int): How many contents.
        number (int): Seed of their choice. Defaults to 0.

    Raises:
        Exception: What the reader raised that is no :class:`DataError`, with the content in a note.
    """
    target = targets()[name]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, target.name)

        @seed(number)
        @settings(
            max_examples=examples,
            deadline=None,
            database=None,
            suppress_health_check=list(HealthCheck),
            phases=[Phase.generate, Phase.shrink],
        )
        @given(target.contents)
        def feed(content: bytes) -> None:
            path.write_bytes(content)
            try:
                target.read(str(path))
            except DataError as error:
                assert path.name in str(error), f'the error names no file: {error}'

        feed()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('readers', nargs='*', help=f'out of {", ".join(targets())}; all by default')
    parser.add_argument('--minutes', type=float, default=1, help='for each reader')
    parser.add_argument('--seed', type=int, default=0)
    args = parser.parse_args()
    unknown = sorted(set(args.readers) - set(targets()))
    if unknown:
        raise DataError(f'{unknown}: expected readers out of {list(targets())}')
    for name in args.readers or targets():
        start, rounds, examples = time.monotonic(), 0, 200
        while time.monotonic() - start < 60 * args.minutes:
            fuzz(name, examples, args.seed + rounds)
            rounds += 1
        print(f'{name}: {rounds * examples} contents in {time.monotonic() - start:.0f} s, no crash', flush=True)


if __name__ == '__main__':
    run_tool(main)
