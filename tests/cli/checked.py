"""mypy over the files of a folder, in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import IndexedRedis


def problems(folder: Path, *names: str) -> str:
    """Return what mypy says of these files; empty if it has no objection."""
    home = Path(IndexedRedis.__file__).parent.parent
    # Nothing of this process: variables that other tests set would be heard by mypy's Python.
    env = {'PATH': os.defpath, 'HOME': str(folder)}
    if home.name != 'site-packages':  # mypy does not follow an editable installation
        env['MYPYPATH'] = str(home)
    done = subprocess.run(
        [sys.executable, '-m', 'mypy', '--strict', '--follow-untyped-imports', *names],
        cwd=folder,
        env=env,
        capture_output=True,
        text=True,
        check=False,
    )
    return '' if done.returncode == 0 else f'{done.returncode}: {done.stdout}{done.stderr}'
