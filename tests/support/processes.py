"""Python in a process of its own, for what a test cannot do to itself: fork, import anew."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import IndexedRedis


def run_python(code: str, *args: Any) -> str:
    """Run a script, warnings being errors; return what it printed."""
    here = str(Path(IndexedRedis.__file__).parent.parent)
    done = subprocess.run(
        [sys.executable, '-W', 'error', '-c', textwrap.dedent(code), *map(str, args)],
        env={**os.environ, 'PYTHONPATH': here},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()
