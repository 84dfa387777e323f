"""Completion in real shells: they complete commands, options, models and mirrors."""

from __future__ import annotations

import shlex
import shutil
import subprocess
import sys

import pytest

from cli.commands import environment, install_script, on_terminal

pytestmark = pytest.mark.programs


def shell(name):
    """A shell, skipped where it is missing."""
    lacking = shutil.which(name) is None
    return pytest.param(name, marks=pytest.mark.skipif(lacking, reason=f'{name} is not installed'))


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
    'indexedredis mirror --unf': ['--unfollow'],
    'indexedredis models --url redis : //h shop': [''],
}


@pytest.mark.parametrize('bash', [shell('bash')])
@pytest.mark.parametrize('words', COMPLETED)
def test_bash_completes(bash, words, folder):
    done = subprocess.run(
        [bash, '--norc', '-c', ASK, 'bash', *words.split(' ')],
        cwd=folder,
        env=variables(folder),
        capture_output=True,
        text=True,
        check=True,
    )
    assert (done.stdout.removesuffix('\n').split('\n'), done.stderr) == (COMPLETED[words], '')


def run_in(shell, *command, **how):
    """Run a command as somebody who uses a shell; the command looks who called it."""
    line = f'{shlex.join(map(str, command))}; true'  # or a shell would become the command
    done = subprocess.run([shell, '-c', line], capture_output=True, text=True, check=True, **how)
    return done.stdout


# The settings of each shell: the file, and the lines that make the prompt known.
PROMPTS = {
    'bash': ('.bashrc', 'PS1="ready "'),
    'zsh': ('.zshrc', 'PS1="ready "'),
    'fish': ('.config/fish/config.fish', 'function fish_prompt; echo "ready "; end'),
}
# Prints what it was called with, unless the shell wants a completion.
SHOWS = """\
#!/bin/sh
if [ "$_INDEXEDREDIS_COMPLETE" ]; then exec {script} "$@"; fi
echo "<$*>"
"""
TYPED = {'mi': 'mirror', 'info --s': 'info --sample', 'info shop:Sp': 'info shop:Special'}


@pytest.mark.parametrize('shell', [shell(name) for name in PROMPTS])
def test_a_person_presses_tab(shell, folder):
    env, script = variables(folder), folder / 'bin' / 'indexedredis'
    home = {'HOME': str(folder), 'ZDOTDIR': str(folder), 'XDG_CONFIG_HOME': f'{folder}/.config'}
    installed = run_in(shell, script, '--install-completion', env=env | home)
    assert f'{shell} completion installed in ' in installed
    rc, prompt = PROMPTS[shell]
    (folder / rc).parent.mkdir(parents=True, exist_ok=True)
    with (folder / rc).open('a') as file:
        file.write(f'{prompt}\n')
    # or a new fish would read the manual
    (folder / '.local' / 'share' / 'fish' / 'generated_completions').mkdir(parents=True)
    shows = folder / 'shows' / 'indexedredis'
    shows.parent.mkdir()
    shows.write_text(SHOWS.format(script=script))
    shows.chmod(0o755)
    line = ''.join(f'indexedredis {start}\t; ' for start in TYPED)
    status, seen = on_terminal(
        program=[shutil.which(shell), '-i'],
        answers={'ready ': f'{line}exit\n'.encode()},
        env={**home, 'PATH': f'{shows.parent}:{env["PATH"]}'},
        cwd=folder,
    )
    assert status == 0
    assert [word for word in TYPED.values() if f'<{word}>' not in seen] == [], seen


@pytest.mark.parametrize('bash', [shell('bash')])
def test_the_completion_of_python_m_is_that_of_the_script(bash, folder):
    for program in (['indexedredis'], [sys.executable, '-m', 'IndexedRedis']):
        shown = run_in(bash, *program, '--show-completion', env=variables(folder))
        assert shown.strip().endswith(' -F _indexedredis_completion indexedredis')
