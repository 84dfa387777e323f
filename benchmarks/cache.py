"""What the benchmarks fetch through pip, kept in one folder: data sets and virtual environments.

The rule: nothing is fetched twice, and nothing that is fetched gets into the environment that runs
the benchmarks; what cannot be had is said by :class:`NotInstalled`, and its subject is left out.
"""

from __future__ import annotations

import importlib.metadata
import os
import shutil
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

__all__ = ('NotInstalled', 'download', 'environment', 'folder', 'same_redis_py')

PIP = ('-m', 'pip', '-q', '--disable-pip-version-check')


class NotInstalled(Exception):
    """It could not be fetched; the message says why."""


def folder() -> Path:
    """The folder: ``--cache``, or ``indexedredis-benchmarks`` among the caches of the user."""
    given = os.environ.get('INDEXEDREDIS_BENCHMARKS_CACHE')
    caches = Path(os.environ.get('XDG_CACHE_HOME') or Path.home() / '.cache')
    return Path(given) if given else caches / 'indexedredis-benchmarks'


def same_redis_py() -> list[str]:
    """Requirements for the redis-py and the hiredis that run here."""
    return [f'{name}=={importlib.metadata.version(name)}' for name in ('redis', 'hiredis')]


def environment(name: str, packages: list[str], proof: str) -> Path:
    """Return a Python of its own virtual environment, made now if it is not there yet.

    :param name: of the environment's folder
    :param packages: requirements, besides the redis-py and hiredis that run here
    :param proof: code that fails unless the packages work
    :raises NotInstalled: if that cannot be done
    """
    wanted = [*packages, *same_redis_py()]
    version = f'py{sys.version_info[0]}.{sys.version_info[1]}'
    home = folder() / '-'.join([name, version, *(each.split('==')[1] for each in same_redis_py())])
    python = home / ('Scripts' if os.name == 'nt' else 'bin') / 'python'
    if not _works(python, proof):
        print(f'Installing {", ".join(packages)} into {home} ...', file=sys.stderr, flush=True)
        venv.create(home, with_pip=True, clear=True)
        _run([python, *PIP, 'install', *wanted])
        if not _works(python, proof):
            raise NotInstalled(f'{", ".join(packages)}: installed, but does not work')
    return python


def download(package: str) -> Path:
    """Return the sdist or wheel of a package, without what it depends on.

    :raises NotInstalled: if that cannot be done
    """
    home = folder() / 'downloads'
    name = package.replace('==', '-')
    if not list(home.glob(f'{name}*')):
        home.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=home) as scratch:
            _run([sys.executable, *PIP, 'download', '--no-deps', '-d', scratch, package])
            for found in Path(scratch).iterdir():
                shutil.move(found, home / found.name)
    return next(home.glob(f'{name}*'))


def _run(command: list[str | Path]) -> None:
    done = subprocess.run([*map(str, command)], capture_output=True, text=True, check=False)
    if done.returncode:
        raise NotInstalled((done.stderr.strip().splitlines() or ['pip failed'])[-1])


def _works(python: Path, proof: str) -> bool:
    try:
        return not subprocess.run(
            [python, '-I', '-c', proof], capture_output=True, check=False
        ).returncode
    except OSError:
        return False
