"""Completion in a shell: bash completes commands, options, models and mirrors."""

from __future__ import annotations

import shutil
import subprocess
import sys

import pytest

from cli.commands import environment, install_script, on_terminal

BASH = shutil.which('bash')
pytestmark = [
    pytest.mark.programs,
    pytest.mark.skipif(BASH is None, reason='needs bash'),
]

SHOP = """
import IndexedRedis
from IndexedRedis import IndexedRedisModel
raise SystemExit('a completion imports nothing')
DIGITS = '\\d'  # Python 3.12 warns of it

class Song(IndexedRedisModel):
    KEY_NAME = 'Song'

class Special(Song):
    pass

class Sale(IndexedRedis.IndexedRedisModel):
    KEY_NAME = 'Sale'

class Unlike:
    pass
"""
MIRRORS = """
from IndexedRedis.mirror import Mirror
nightly = Mirror('sqlite://', {})
limit = int('3')
"""
ASK = """
source <(indexedredis --show-completion bash)
COMP_WORDS=("$@"); COMP_CWORD=$(( $# - 1 ))
_indexedredis_completion indexedredis
printf '%s\\n' "${COMPREPLY[@]}"
"""


@pytest.fixture
def folder(tmp_path):
    """With modules, and the script in the folder `bin`."""
    files = {
        'shop.py': SHOP,
        'pkg/jobs.py': MIRRORS,
        'pkg/__init__.py': 'from IndexedRedis import X\nclass Base(IndexedRedisModel): ...',
        'broken.py': 'IndexedRedis (',
        'not-a-module.py': SHOP,
        'venv/lib/python3.13/deep.py': SHOP,
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    (tmp_path / 'gone.py').symlink_to('nowhere')
    (tmp_path / 'bin').mkdir()
    install_script(tmp_path / 'bin')
    return tmp_path


def variables(folder):
    env = environment(HOME=str(folder), SHELL='/bin/bash')
    return env | {'PATH': f'{folder / "bin"}:{env["PATH"]}'}


# Words as bash splits them, the last one being typed.
COMPLETED = {
    'indexedredis ex': ['explain', 'export'],
    'indexedredis info --s': ['--sample'],
    'indexedredis info s': ['shop:Song', 'shop:Special', 'shop:Sale'],
    'indexedredis info shop :': ['Song', 'Special', 'Sale'],
    'indexedredis info shop : So': ['Song'],
    'indexedredis info x': [''],
    'indexedredis check shop : Song pk': ['pkg:Base'],
    'indexedredis check shop : Song shop : S': ['Song', 'Special', 'Sale'],
    'indexedredis import --mode ': ['reset', 'add'],
    'indexedredis mirror p': ['pkg.jobs:nightly'],
    'indexedredis mirror pkg.jobs : n': ['nightly'],
    'indexedredis mirror --mode f': ['full'],
    'indexedredis models --url redis : //h shop': [''],
}


@pytest.mark.parametrize('words', COMPLETED)
def test_bash_completes(words, folder):
    done = subprocess.run(
        [BASH, '--norc', '-c', ASK, 'bash', *words.split(' ')],
        cwd=folder,
        env=variables(folder),
        capture_output=True,
        text=True,
        check=True,
    )
    assert (done.stdout.removesuffix('\n').split('\n'), done.stderr) == (COMPLETED[words], '')


def test_a_person_presses_tab(folder):
    env = variables(folder)
    install = [folder / 'bin' / 'indexedredis', '--install-completion', 'bash']
    done = subprocess.run(install, env=env, capture_output=True, text=True, check=False)
    if done.returncode:  # where the shell is known, the option has no value
        subprocess.run(install[:2], env=env, check=True, capture_output=True)
    with open(folder / '.bashrc', 'a') as file:
        file.write('PS1="ready "\n')
    seen = on_terminal(
        program=[BASH, '--rcfile', str(folder / '.bashrc'), '-i'],
        answers={'ready ': b'indexedredis info shop:Sp\t', 'shop:Special ': b'\x15exit\n'},
        env={name: env[name] for name in ('HOME', 'PATH')},
        cwd=folder,
    )
    assert seen[0] == 0


def test_the_completion_of_python_m_is_that_of_the_script(folder):
    for program in (['indexedredis'], [sys.executable, '-m', 'IndexedRedis']):
        done = subprocess.run(
            [*program, '--show-completion', 'bash'],
            env=variables(folder),
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.stdout.strip().endswith(' -F _indexedredis_completion indexedredis')
