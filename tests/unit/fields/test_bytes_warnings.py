"""`python -bb` raises where text is compared with bytes: the tests of fields pass under it too."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.programs

HERE = Path(__file__).parents[1]
FILES = [
    *('fields/test_fields_contract.py', 'fields/test_chain.py', 'fields/test_compressed.py'),
    *('mapping/test_rows.py', 'executors/test_scan.py'),
]
# Hypothesis keeps what it has tried, of all types, in dicts: where the hashes of bytes and of an
# int collide, Python compares them there.
NOT_OURS = r'filterwarnings=ignore::BytesWarning:hypothesis\.'


def test_no_field_compares_text_with_bytes():
    files = [str(HERE / name) for name in FILES]
    options = f'-q -x -p no:xdist -p no:cacheprovider --hypothesis-seed=0 -o {NOT_OURS}'.split()
    command = [sys.executable, '-bb', '-m', 'pytest', *options, *files]
    done = subprocess.run(command, cwd=HERE, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-5000:] + done.stderr[-5000:]
