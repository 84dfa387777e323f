"""The shape of the house, read from the sources: imports go down only, rooms stay small.

A late import, inside a function, counts like any other; one for type checkers does not.
"""

from __future__ import annotations

import ast
import importlib.util
from collections import Counter
from collections.abc import Callable, Iterable
from functools import cache
from pathlib import Path
from typing import Any

HOME = Path(next(iter(importlib.util.find_spec('IndexedRedis').submodule_search_locations)))

# The floors of the house, from the ground up. A file may import from its own room and from those
# on floors below.
FLOORS = [
    {'errors', 'encoding', 'deprecated', 'twins', 'generics'},
    {'fields'},
    {'_core'},
    {'executors'},
    {'connections'},
    {'IRQueryableList', 'json_encoder', 'utils', 'frameworks'},
    {'managers'},
    {'models'},
    {'embedded', 'demo', 'mirror', 'stubs', 'cli', 'admin', 'testing', '__main__'},
]
# The floors inside `_core`. Its ground files are rooms of their own.
CORE_FLOORS = [
    {'flows', 'keys', 'script', 'text', 'logs'},
    {'column', 'incarnations', 'replication'},
    {'objects', 'overlap'},
    {'mapping'},
    {'expressions'},
    {'queries', 'locking'},
    {'writes', 'inspection'},
    {'bulk'},
    {'partitions'},
    {'links', 'integrity'},
    {'resets'},
]
# Old import paths: a few lines each, which may name what they like but hold nothing.
FACADES = {'__init__', 'async_connections', 'compat_str', 'compat_convert', 'timed'}
NO_IO = {'redis', 'hiredis', 'socket', 'asyncio', 'time', 'threading'}
FILE_LINES = 400
FUNCTION_LINES = 40
FACADE_LINES = 200
FOLDER_FILES = 12

FILES = sorted(HOME.rglob('*.py'))
FUNCTIONS = ast.FunctionDef | ast.AsyncFunctionDef


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text('utf-8'))


def room(path: Path) -> str:
    """The top-level module or package a file belongs to."""
    return path.relative_to(HOME).parts[0].removesuffix('.py')


def core_room(path: Path) -> str:
    """The room of `_core` that a file belongs to."""
    return path.relative_to(HOME).parts[1].removesuffix('.py')


def floor(name: str, floors: list[set[str]] = FLOORS) -> int:
    """Number of the floor of a room; -1 if it has none."""
    return next((number for number, names in enumerate(floors) if name in names), -1)


@cache
def imports(path: Path) -> list[str]:
    """Every absolute dotted name the file imports, wherever in the file, but for type checkers."""
    package = ['IndexedRedis', *path.relative_to(HOME).parts[:-1]]
    nodes = list(ast.walk(tree(path)))
    checked_only = {
        id(inner)
        for node in nodes
        if isinstance(node, ast.If) and 'TYPE_CHECKING' in _names(node.test)
        for inner in ast.walk(node)
    }
    found: list[str] = []
    for node in nodes:
        if id(node) in checked_only:
            continue
        if isinstance(node, ast.Import):
            found += (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) + 1 - node.level] if node.level else []
            base = [*above, *([node.module] if node.module else [])]
            found += ('.'.join([*base, alias.name]) for alias in node.names)
    return found


def _names(test: ast.expr) -> set[str]:
    """The names in a condition, with and without a module before them."""
    nodes = [*ast.walk(test)]
    plain = {node.id for node in nodes if isinstance(node, ast.Name)}
    return plain | {node.attr for node in nodes if isinstance(node, ast.Attribute)}


def own_rooms(path: Path) -> set[str]:
    """Rooms of this library that a file imports from; '' is the package itself."""
    dotted = [name.split('.') for name in imports(path)]
    own = {name[1] if len(name) > 1 else '' for name in dotted if name[0] == 'IndexedRedis'}
    rooms = set().union(*FLOORS) | FACADES
    return {name if name in rooms else '' for name in own}  # a public name: of the package


def upward(path: Path) -> list[str]:
    """Rooms that one file imports from and that are not below its own."""
    if room(path) in FACADES:
        return [name for name in own_rooms(path) if name in FLOORS[-1]]
    mine, top = floor(room(path)), len(FLOORS) - 1
    if mine == top:  # extras sit on the public names
        return [name for name in own_rooms(path) if name in ('_core', 'executors')]
    others = own_rooms(path) - {room(path)}
    return [name for name in others if name in FACADES | {''} or floor(name) >= mine]


def upward_in_core(path: Path) -> list[str]:
    """Rooms of `_core` that one of its files imports from and that are not below its own."""
    mine = core_room(path)
    dotted = [name.split('.') for name in imports(path)]
    rooms = {name[2] for name in dotted if name[:2] == ['IndexedRedis', '_core']} - {mine}
    level = floor(mine, CORE_FLOORS)
    return sorted(name for name in rooms if floor(name, CORE_FLOORS) not in range(level))


def file_of(dotted: str) -> Path | None:
    """The file of the library that a dotted name leads to."""
    package, *parts = dotted.split('.')
    if package != 'IndexedRedis':
        return None
    for length in range(len(parts), max(len(parts) - 2, 0), -1):
        place = HOME.joinpath(*parts[:length])
        for path in (place.with_suffix('.py'), place / '__init__.py'):
            if path.is_file():
                return path
    return None


def circles(paths: Iterable[Path] = FILES) -> list[list[str]]:
    """Files that import each other, in whatever number of steps."""
    arrows = {
        path: {found for name in imports(path) if (found := file_of(name)) not in (None, path)}
        for path in paths
    }

    @cache
    def reachable(start: Path) -> frozenset[Path]:
        seen: set[Path] = set()
        todo = [start]
        while todo:
            new = arrows.get(todo.pop(), set()) - seen
            seen |= new
            todo += new
        return frozenset(seen)

    groups = {
        frozenset(other for other in reachable(path) if path in reachable(other))
        for path in arrows
        if path in reachable(path)
    }
    return [sorted(str(path.relative_to(HOME)) for path in group) for group in groups]


def long_functions(path: Path) -> list[str]:
    """Functions of more lines than fit, docstring not counted."""
    found = [node for node in ast.walk(tree(path)) if isinstance(node, FUNCTIONS)]
    return [node.name for node in found if body_lines(node) > FUNCTION_LINES]


def body_lines(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    body = node.body[1:] if ast.get_docstring(node) is not None else node.body
    return node.end_lineno - body[0].lineno + 1 if body else 0


def offenders(judge: Callable[[Path], Any], paths: Iterable[Path] = FILES) -> dict[str, Any]:
    """File name -> what the judge has against it."""
    verdicts = {str(path.relative_to(HOME)): judge(path) for path in paths}
    return {name: verdict for name, verdict in verdicts.items() if verdict}


def core_files() -> list[Path]:
    return [path for path in FILES if room(path) == '_core' and path.name != '__init__.py']


def test_every_file_has_a_floor():
    places = set().union(*FLOORS) | FACADES
    assert offenders(lambda path: room(path) not in places) == {}, 'say in FLOORS where it belongs'
    places = set().union(*CORE_FLOORS)
    misplaced = offenders(lambda path: core_room(path) not in places, core_files())
    assert misplaced == {}, 'say in CORE_FLOORS where it belongs'


def test_imports_go_down_only():
    assert offenders(upward) == {}
    assert offenders(upward_in_core, core_files()) == {}


def test_no_file_imports_itself_by_way_of_others():
    assert circles() == []


def test_the_inner_rooms_do_no_io():
    inner = [path for path in FILES if room(path) in ('_core', 'fields')]
    assert inner
    assert offenders(lambda path: {n.split('.')[0] for n in imports(path)} & NO_IO, inner) == {}


def test_rooms_stay_small():
    def limit(path: Path) -> int:
        return FACADE_LINES if room(path) in FACADES else FILE_LINES

    assert offenders(lambda path: len(path.read_text('utf-8').splitlines()) > limit(path)) == {}
    tests = Path(__file__).parents[1].rglob('*.py')
    named = [path for path in (*FILES, *tests) if path.name not in ('__init__.py', 'conftest.py')]
    sizes = Counter(str(path.parent) for path in named)
    assert len(sizes) > 80
    assert {folder: size for folder, size in sizes.items() if size > FOLDER_FILES} == {}


def test_functions_stay_small():
    assert offenders(long_functions) == {}


def test_each_file_opens_with_its_rule():
    assert offenders(lambda path: tree(path).body and not ast.get_docstring(tree(path))) == {}


def test_these_tests_can_fail(tmp_path, monkeypatch):
    """Each way of writing an import is seen, and what is meant for type checkers is not."""
    folder = tmp_path / '_core' / 'queries'
    folder.mkdir(parents=True)
    file, other = folder / 'sets.py', folder / 'other.py'
    file.write_text(
        'from ...managers.query import x\nfrom ... import models, irNull\n'
        'import IndexedRedis.embedded\nfrom . import other\nfrom ..resets import swap\n'
        'from ...fields import null\ndef f():\n    import time\n'
        'if TYPE_CHECKING:\n    from ...cli import y\n'
    )
    other.write_text('def f():\n    from .sets import g\n')
    monkeypatch.setitem(globals(), 'HOME', tmp_path)
    assert own_rooms(file) == {'managers', 'models', 'embedded', '_core', 'fields', ''}
    assert sorted(upward(file)) == ['', 'embedded', 'managers', 'models']
    assert upward_in_core(file) == ['resets']
    assert circles([file, other]) == [['_core/queries/other.py', '_core/queries/sets.py']]
    assert 'time' in set(imports(file))
    long = tmp_path / 'long.py'
    long.write_text('def f():\n    """x\n    y"""\n' + '    pass\n' * (FUNCTION_LINES + 1))
    assert long_functions(long) == ['f']
