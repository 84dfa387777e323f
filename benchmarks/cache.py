"""Fetch data sets and subjects through pip, once, into one folder.

What is fetched stays out of the environment that runs the benchmarks.
"""

import importlib.metadata
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from .results import OLD

PIP = ('-m', 'pip', '-q', '--disable-pip-version-check')
MAPPERS = ['rom==1.1.2', 'walrus==0.9.8']
# By subject: the packages to install, and the module that has to work then.
PACKAGES = {
    OLD: (['indexedredis==6.0.3'], 'IndexedRedis'),
    'rom': (MAPPERS, 'rom'),
    'walrus': (MAPPERS, 'walrus'),
}


class NotInstalled(Exception):
    """Something could not be fetched; the message says why."""


def folder() -> Path:
    """Return the folder, ``indexedredis-benchmarks`` among the user's caches."""
    caches = Path(os.environ.get('XDG_CACHE_HOME') or Path.home() / '.cache')
    return caches / 'indexedredis-benchmarks'


def library(subject: str) -> Path:
    """Return the folder that a subject is imported from, with the redis-py and hiredis of here."""
    packages, module = PACKAGES[subject]
    same = [f'{each}=={importlib.metadata.version(each)}' for each in ('redis', 'hiredis')]
    python = f'py{sys.version_info[0]}.{sys.version_info[1]}'
    home = folder() / '-'.join([*packages, *same, python])
    if not home.exists():
        print(f'Installing {", ".join(packages)} into {home} ...', file=sys.stderr, flush=True)
        folder().mkdir(parents=True, exist_ok=True)
        part = Path(tempfile.mkdtemp(dir=folder()))
        try:
            _python(*PIP, 'install', '--target', str(part), *packages, *same)
            _python('-P', '-c', f'import {module}', PYTHONPATH=str(part))
            part.rename(home)
        finally:
            shutil.rmtree(part, ignore_errors=True)
    return home


def download(package: str) -> Path:
    """Return the sdist or wheel of a package, without its dependencies."""
    home = folder() / 'downloads'
    pattern = f'{package.replace("==", "-")}*'
    if not list(home.glob(pattern)):
        _python(*PIP, 'download', '--no-deps', '-d', str(home), package)
    return next(home.glob(pattern))


def _python(*arguments: str, **environment: str) -> None:
    """Run Python; raise the last line of its complaint if it fails."""
    command, env = [sys.executable, *arguments], {**os.environ, **environment}
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
    if done.returncode:
        raise NotInstalled((done.stderr.strip().splitlines() or ['it fails'])[-1])
