"""The shape of the house, read from the sources: imports go down only, rooms stay small."""

from __future__ import annotations

import ast
import importlib.util
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

HOME = Path(next(iter(importlib.util.find_spec('IndexedRedis').submodule_search_locations)))
LAYERS = [
    {'errors', 'encoding', 'deprecated', 'classprops'},
    {'fields'},
    {'_core'},
    {'executors', 'connections', 'async_connections', 'twins'},
    {
        'helper',
        'inspection',
        'tools',
        'query',
        'query_flows',
        'saver',
        'deleter',
        'resetting',
        'IRQueryableList',
    },
    {'model', 'stored', 'definition'},
    {'embedded', 'demo', 'mirror', 'cli', 'testing', '__main__'},
]
# Old import paths: a few lines each, which may name what they like but hold nothing.
FACADES = {'__init__', 'compat_str', 'compat_convert', 'utils', 'timed'}
NO_IO = {'redis', 'hiredis', 'socket', 'asyncio', 'time', 'threading'}
FILE_LINES = 400
FUNCTION_LINES = 40
FACADE_LINES = 160

FILES = sorted(HOME.rglob('*.py'))


def room(path: Path) -> str:
    """The top-level module or package a file belongs to."""
    return path.relative_to(HOME).parts[0].removesuffix('.py')


def layer(name: str) -> int:
    """Number of the layer of a room."""
    return next(number for number, names in enumerate(LAYERS) if name in names)


def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text('utf-8'))


def imports(path: Path) -> Iterator[str]:
    """Every absolute dotted name the file imports, wherever in the file, but for type checkers."""
    package = ['IndexedRedis', *path.relative_to(HOME).parts[:-1]]
    nodes = list(ast.walk(tree(path)))
    checked_only = {
        id(inner)
        for node in nodes
        if isinstance(node, ast.If) and 'TYPE_CHECKING' in ast.unparse(node.test)
        for inner in ast.walk(node)
    }
    for node in nodes:
        if id(node) in checked_only:
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) + 1 - node.level] if node.level else []
            base = [*above, *([node.module] if node.module else [])]
            yield from ('.'.join([*base, alias.name]) for alias in node.names)


def own_rooms(path: Path) -> set[str]:
    """Rooms of this library that a file imports from; '' is the package itself."""
    dotted = [name.split('.') for name in imports(path)]
    own = {name[1] if len(name) > 1 else '' for name in dotted if name[0] == 'IndexedRedis'}
    rooms = set().union(*LAYERS) | FACADES
    return {name if name in rooms else '' for name in own}  # a public name: of the package


def upward(path: Path) -> list[str]:
    """Imports of one file that do not go down."""
    if room(path) in FACADES:
        return [name for name in own_rooms(path) if name in LAYERS[-1]]
    mine, top = layer(room(path)), len(LAYERS) - 1
    if mine == top:  # extras sit on the public names
        return [name for name in own_rooms(path) if name in ('_core', 'executors')]
    others = own_rooms(path) - {room(path)}
    return [name for name in others if name in FACADES | {''} or layer(name) > mine]


def long_functions(path: Path) -> list[str]:
    """Functions of more lines than fit, docstring not counted."""
    functions = ast.FunctionDef | ast.AsyncFunctionDef
    found = [node for node in ast.walk(tree(path)) if isinstance(node, functions)]
    return [node.name for node in found if body_lines(node) > FUNCTION_LINES]


def body_lines(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    body = node.body[1:] if ast.get_docstring(node) is not None else node.body
    return node.end_lineno - body[0].lineno + 1 if body else 0


def offenders(judge: Callable[[Path], Any], paths: Iterable[Path] = FILES) -> dict[str, Any]:
    """File name -> what the judge has against it."""
    verdicts = {str(path.relative_to(HOME)): judge(path) for path in paths}
    return {name: verdict for name, verdict in verdicts.items() if verdict}


def test_every_file_has_a_place():
    places = set().union(*LAYERS) | FACADES
    assert offenders(lambda path: room(path) not in places) == {}, 'say in LAYERS where it belongs'


def test_imports_go_down_only():
    assert offenders(upward) == {}


def test_the_inner_rooms_do_no_io():
    inner = [path for path in FILES if room(path) in ('_core', 'fields')]
    assert inner
    assert offenders(lambda path: {n.split('.')[0] for n in imports(path)} & NO_IO, inner) == {}


def test_rooms_stay_small():
    def limit(path: Path) -> int:
        return FACADE_LINES if room(path) in FACADES else FILE_LINES

    assert offenders(lambda path: len(path.read_text('utf-8').splitlines()) > limit(path)) == {}


def test_functions_stay_small():
    assert offenders(long_functions) == {}


def test_each_file_opens_with_its_rule():
    assert offenders(lambda path: tree(path).body and not ast.get_docstring(tree(path))) == {}


def test_these_tests_can_fail(tmp_path, monkeypatch):
    """Each way of writing an import is seen, and what is meant for type checkers is not."""
    file = tmp_path / '_core' / 'sets.py'
    file.parent.mkdir()
    file.write_text(
        'from ..query import x\nfrom .. import model, irNull\nimport IndexedRedis.embedded\n'
        'from . import plan\nfrom ..fields import null\ndef f():\n    import time\n'
        'if TYPE_CHECKING:\n    from ..cli import y\n'
    )
    monkeypatch.setitem(globals(), 'HOME', tmp_path)
    assert own_rooms(file) == {'query', 'model', 'embedded', '_core', 'fields', ''}
    assert sorted(upward(file)) == ['', 'embedded', 'model', 'query']
    assert 'time' in set(imports(file))
    file.write_text('def f():\n    """x\n    y"""\n' + '    pass\n' * (FUNCTION_LINES + 1))
    assert long_functions(file) == ['f']
