"""mypy over the files of a folder, in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import IndexedRedis

# Kept, so that mypy reads the library once, not for each test.
CACHE = Path(__file__).parents[2] / '.mypy_cache' / 'of_tests'


def problems(folder: Path, *names: str) -> str:
    """Return what mypy says of these files; empty if it has no objection."""
    home = Path(IndexedRedis.__file__).parent.parent
    # Nothing of this process: variables that other tests set would be heard by mypy's Python.
    env = {'PATH': os.defpath, 'HOME': str(folder)}
    if home.name != 'site-packages':  # mypy does not follow an editable installation
        env['MYPYPATH'] = str(home)
    options = ['--strict', '--follow-untyped-imports', f'--cache-dir={CACHE}']
    done = subprocess.run(
        [sys.executable, '-m', 'mypy', *options, *names],
        cwd=folder,
        env=env,
        capture_output=True,
        text=True,
        check=False,
    )
    return '' if done.returncode == 0 else f'{done.returncode}: {done.stdout}{done.stderr}'
