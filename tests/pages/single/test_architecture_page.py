"""The page for newcomers to the code is true: its files and names exist, its example runs, and its
picture shows the floors of `test_layers.py`."""

from __future__ import annotations

import ast
import doctest
import importlib.util
import pathlib
import re
from collections.abc import Iterator

import pytest

ROOT = pathlib.Path(__file__).parents[3]
PAGE = ROOT / 'docs' / 'explanation' / 'architecture.rst'
GUIDE = ROOT / 'CONTRIBUTING.rst'
HOME = ROOT / 'IndexedRedis'
STEPS = re.findall(r'^ +(?:-|) ?\| ``(\S+\.py)``: (.*)$', PAGE.read_text('utf-8'), re.MULTILINE)
OF_REPOSITORY = ('.ci', 'IndexedRedis/', 'docs/', 'tests/', 'examples/', 'benchmarks/')


def defined(path: pathlib.Path) -> Iterator[str]:
    """What a file defines: its functions, classes, methods as `Class.method`, and constants."""
    for node in ast.parse(path.read_text('utf-8')).body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node.name
        if isinstance(node, ast.ClassDef):
            inner = (each for each in ast.walk(node) if isinstance(each, ast.FunctionDef))
            yield from (f'{node.name}.{each.name}' for each in inner)
        if isinstance(node, ast.Assign):
            yield from (each.id for each in node.targets if isinstance(each, ast.Name))


@pytest.mark.parametrize(('file', 'names'), STEPS)
def test_a_step_is_where_the_page_says(file, names):
    missing = {*re.findall(r'``([\w.]+)``', names)} - {*defined(HOME / file)}
    assert not missing, f'{file} defines no {missing}: say in {PAGE.name} where it is'


def test_the_page_follows_three_operations():
    assert len(STEPS) > 40


@pytest.mark.parametrize('page', [PAGE, GUIDE], ids=lambda page: page.name)
def test_files_and_folders_exist(page):
    named = {*re.findall(r'``((?:[\w.]+/)+[\w.]*|\w+\.py)``', page.read_text('utf-8'))}
    assert len(named) > 20
    rooms = {path.name for path in HOME.rglob('*')}
    gone = {each for each in named if not exists(each) and each.strip('/') not in rooms}
    assert not gone


def exists(named: str) -> bool:
    return ((ROOT if named.startswith(OF_REPOSITORY) else HOME) / named).exists()


def test_the_example_runs_as_shown():
    found = doctest.testfile(str(PAGE), module_relative=False)
    assert found.attempted > 4
    assert found.failed == 0


def test_the_picture_shows_the_floors():
    spec = importlib.util.spec_from_file_location('make_rooms', ROOT / 'docs' / 'make_rooms.py')
    rooms = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(rooms)
    assert rooms.PICTURE.read_text('utf-8') == rooms.picture(), 'run python docs/make_rooms.py'
