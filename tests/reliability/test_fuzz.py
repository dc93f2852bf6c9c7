"""A short run of .dev/fuzz.py, and that it finds what it looks for."""

import importlib.util
from pathlib import Path

import pytest
from hypothesis import strategies as st

from mmwsss.fileio import DataError

PATH = Path(__file__).parents[2] / '.dev/fuzz.py'
SPEC = importlib.util.spec_from_file_location('tool_fuzz', PATH)
fuzz = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(fuzz)


@pytest.mark.filterwarnings('ignore')
@pytest.mark.parametrize('name', fuzz.targets())
def test_reader_raises_nothing_but_its_error(name):
    fuzz.fuzz(name, examples=40)


def test_whole_files_are_read(tmp_path):
    """Otherwise all damage would be done to files that no reader gets far with."""
    wholes = dict(
        image=fuzz._whole_images(),
        mask=fuzz._whole_masks(),
        seeds=fuzz._whole_seeds(),
        checkpoint=fuzz._whole_checkpoints(),
        npy_seeds=fuzz._whole_npy_seeds(),
        mxnet=[fuzz._mxnet_weights()],
        caffe=[fuzz._caffe_weights()],
        safetensors=[fuzz._safetensors_weights()],
        affinity=fuzz._whole_affinities(),
        features=fuzz._whole_features(),
        feature_table=fuzz._whole_feature_tables(),
        pixel_weights=fuzz._whole_pixel_weights(),
        instances=fuzz._whole_instances(),
        coco_masks=[fuzz._exported(fuzz.write_coco, polygons=True, tolerance=0.5)],
        label_studio=[fuzz._annotated_tasks()],
        cvat=[fuzz._exported(fuzz.write_cvat, polygons=False, tolerance=0.5)],
    )
    for name, contents in wholes.items():
        target = fuzz.targets()[name]
        for content in contents:
            (tmp_path / target.name).write_bytes(content)
            assert target.read(str(tmp_path / target.name)) is not None


@pytest.mark.parametrize('name', fuzz.targets())
def test_files_of_another_kind_are_refused_or_read(tmp_path, name):
    target = fuzz.targets()[name]
    path = tmp_path / target.name
    for content in fuzz._whole_files():
        path.write_bytes(content)
        try:
            target.read(str(path))
        except DataError as error:
            assert path.name in str(error)


@pytest.mark.parametrize(
    'error, message', [(KeyError('x'), 'x'), (DataError('cannot be read'), 'the error names no file: cannot be read')]
)
def test_other_errors_are_found(monkeypatch, error, message):
    def read(path):
        if Path(path).read_bytes().startswith(b'\1'):
            raise error

    monkeypatch.setattr(fuzz, 'targets', lambda: dict(toy=fuzz.Target('f.bin', st.binary(min_size=1), read)))
    with pytest.raises((KeyError, AssertionError), match=message):
        fuzz.fuzz('toy', examples=3000)
