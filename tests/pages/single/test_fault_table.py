"""The page of faults. The rule: every row names tests, and every test named there exists."""

from __future__ import annotations

import ast
import functools
import pathlib
import re

import pytest

TESTS = pathlib.Path(__file__).parents[2]
PAGE = TESTS.parent / 'docs' / 'explanation' / 'faults.rst'
ROWS = re.split(r'\n   \* - ', PAGE.read_text('utf-8'))[2:]


@functools.cache
def names_in(path):
    """The names of the tests of a file."""
    tree = ast.parse((TESTS / path).read_text('utf-8'))
    return {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}


@pytest.mark.parametrize('row', ROWS, ids=lambda row: row.partition('\n')[0])
def test_a_row_names_tests_that_exist(row):
    named = re.findall(r'``(\S+\.py)::(\w+)``', row.rpartition('\n     - ')[2])
    assert named
    for path, test in named:
        assert test in names_in(path)


def test_the_page_has_its_rows():
    assert len(ROWS) > 30


def test_every_file_of_fault_tests_is_in_it():
    files = {path.relative_to(TESTS).as_posix() for path in TESTS.glob('faults/*/test_*.py')}
    assert len(files) > 20
    assert [name for name in files if f'{name}::' not in PAGE.read_text('utf-8')] == []
