"""Fetch data sets and virtual environments through pip, once, into one folder.

What is fetched stays out of the environment that runs the benchmarks.
"""

import importlib.metadata
import os
import subprocess
import sys
import venv
from pathlib import Path

from .results import OLD

PIP = ('-m', 'pip', '-q', '--disable-pip-version-check')
# By subject: the environment's name, its packages, and code that fails unless they work.
OLD_PROOF = 'import IndexedRedis, sys; sys.exit(IndexedRedis.__version__ != "6.0.3")'
MAPPERS = ('rom-walrus', ['rom==1.1.2', 'walrus==0.9.8'], 'import rom, walrus')
ENVIRONMENTS = {
    OLD: ('6.0.3', ['indexedredis==6.0.3'], OLD_PROOF),
    'rom': MAPPERS,
    'walrus': MAPPERS,
}


class NotInstalled(Exception):
    """Something could not be fetched; the message says why."""


def folder() -> Path:
    """Return the folder: ``--cache``, or ``indexedredis-benchmarks`` among the user's caches."""
    given = os.environ.get('INDEXEDREDIS_BENCHMARKS_CACHE')
    caches = Path(os.environ.get('XDG_CACHE_HOME') or Path.home() / '.cache')
    return Path(given) if given else caches / 'indexedredis-benchmarks'


def interpreter(subject: str) -> Path:
    """Return the Python of a subject's virtual environment, which is made if it is missing.

    It has the redis-py and the hiredis that run here.

    :raises NotInstalled: if that cannot be done
    """
    name, packages, proof = ENVIRONMENTS[subject]
    versions = {each: importlib.metadata.version(each) for each in ('redis', 'hiredis')}
    python = f'py{sys.version_info[0]}.{sys.version_info[1]}'
    home = folder() / '-'.join([name, python, *versions.values()])
    path = home / ('Scripts' if os.name == 'nt' else 'bin') / 'python'
    if not _works(path, proof):
        print(f'Installing {", ".join(packages)} into {home} ...', file=sys.stderr, flush=True)
        venv.create(home, with_pip=True, clear=True)
        same = [f'{each}=={version}' for each, version in versions.items()]
        _run([path, *PIP, 'install', *packages, *same])
        if not _works(path, proof):
            raise NotInstalled(f'{", ".join(packages)}: installed, but does not work')
    return path


def download(package: str) -> Path:
    """Return the sdist or wheel of a package, without its dependencies.

    :raises NotInstalled: if it cannot be fetched
    """
    home = folder() / 'downloads'
    pattern = f'{package.replace("==", "-")}*'
    if not list(home.glob(pattern)):
        _run([sys.executable, *PIP, 'download', '--no-deps', '-d', home, package])
    return next(home.glob(pattern))


def _run(command: list[str | Path]) -> None:
    done = subprocess.run([*map(str, command)], capture_output=True, text=True, check=False)
    if done.returncode:
        raise NotInstalled((done.stderr.strip().splitlines() or ['pip failed'])[-1])


def _works(python: Path, proof: str) -> bool:
    if not python.exists():
        return False
    done = subprocess.run([python, '-I', '-c', proof], capture_output=True, check=False)
    return done.returncode == 0
