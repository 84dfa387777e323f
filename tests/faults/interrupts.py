"""Raises at each statement of some modules in turn, as a signal handler may.

Python looks for signals between statements, and a trace function could raise there. One that does
so inside of coroutines corrupts Python 3.11, so the statements are marked instead: each function
gets code that calls `tick` before every statement.
"""

from __future__ import annotations

import ast
import contextlib
import inspect
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from types import CodeType, FunctionType, ModuleType
from typing import Any

BLOCKS = ('body', 'orelse', 'finalbody')


class Interrupt(BaseException):
    """What the handler raises."""


class Interrupts:
    """Counts the statements of one thread; raises at one of them."""

    def __init__(self) -> None:
        self.hits: Counter[str] = Counter()
        self._due: tuple[str, int] | None = None
        self._thread = 0  # the one whose statements count; 0: none
        #: whether it has raised
        self.raised = False

    def tick(self, where: str) -> None:
        if threading.get_ident() != self._thread:
            return
        self.hits[where] += 1
        if self._due == (where, self.hits[where]):
            self._due, self.raised = None, True
            raise Interrupt

    @contextlib.contextmanager
    def counting(self, due: tuple[str, int] | None = None) -> Iterator[None]:
        """Count, and raise when the statement `due[0]` is reached for the `due[1]`-th time."""
        self.hits.clear()
        self._due, self.raised, self._thread = due, False, threading.get_ident()
        try:
            yield
        finally:
            self._thread = 0

    @contextlib.contextmanager
    def paused(self) -> Iterator[None]:
        """Do not count while the block runs."""
        thread, self._thread = self._thread, 0
        yield
        self._thread = thread

    def places(self) -> list[tuple[str, int]]:
        """The first and the last time of each statement that was counted."""
        return sorted({(where, hit) for where, most in self.hits.items() for hit in (1, most)})


@contextlib.contextmanager
def marked(modules: list[ModuleType], tick: Callable[[str], None]) -> Iterator[None]:
    """Have the functions of these modules call `tick(where)` before each of their statements."""
    before: list[tuple[FunctionType, CodeType]] = []
    try:
        for module in modules:
            codes = _marked_codes(module)
            vars(module)['__tick__'] = tick
            for function in _functions(module):
                before.append((function, function.__code__))
                function.__code__ = codes[function.__qualname__, function.__code__.co_firstlineno]
        yield
    finally:
        for function, code in before:
            function.__code__ = code


def _marked_codes(module: ModuleType) -> dict[tuple[str, int], CodeType]:
    path = Path(module.__file__ or '')
    tree = ast.parse(path.read_text('utf-8'))
    for node in [*ast.walk(tree)]:
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            _mark(node, path.name)
    codes = {}
    todo = [compile(ast.fix_missing_locations(tree), str(path), 'exec')]
    while todo:
        code = todo.pop()
        todo += [const for const in code.co_consts if isinstance(const, CodeType)]
        codes[code.co_qualname, code.co_firstlineno] = code
    return codes


def _mark(function: ast.FunctionDef | ast.AsyncFunctionDef, file: str) -> None:
    todo: list[Any] = [function]
    while todo:
        node = todo.pop()
        for child in ast.iter_child_nodes(node):
            if not isinstance(child, (ast.expr, ast.FunctionDef, ast.AsyncFunctionDef)):
                todo.append(child)
        for name in BLOCKS:
            block = getattr(node, name, None)
            if isinstance(block, list):
                setattr(node, name, [each for one in block for each in (_call(one, file), one)])


def _call(statement: ast.stmt, file: str) -> ast.stmt:
    (call,) = ast.parse(f'__tick__({f"{file}:{statement.lineno}"!r})').body
    return ast.copy_location(
        ast.fix_missing_locations(ast.copy_location(call, statement)), statement
    )


def _functions(module: ModuleType) -> Iterator[FunctionType]:
    for value in [*vars(module).values()]:
        if getattr(value, '__module__', None) != module.__name__:
            continue
        members = vars(value).values() if inspect.isclass(value) else [value]
        for member in members:
            found = getattr(member, 'fget', getattr(member, '__func__', member))
            found = inspect.unwrap(found) if callable(found) else found
            if isinstance(found, FunctionType) and found.__module__ == module.__name__:
                yield found
