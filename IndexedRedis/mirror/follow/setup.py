"""What is followed, as the mirror says it and the database knows it.

The rule: all that cannot be followed is told before anything is read.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

from sqlalchemy import URL, Connection, Engine

from ...errors import UsageError
from ..database import opened
from ..definition import check_diff
from ..report import logger
from ..source import Source
from .choice import log_of
from .log import LogSource, Plan
from .traces import Trace, check_given, traces_of

__all__ = ('Setup', 'drop', 'name_of_mirror', 'open_setup')


class Setup(NamedTuple):
    """What is followed, checked.

    :param sources: the selects, targets of links first
    :param traces: each with the full name of its table
    :param columns: the columns that are wanted of each table
    """

    name: str
    engine: Engine
    sources: list[Source]
    logs: LogSource
    traces: list[tuple[str, Trace]]
    columns: Mapping[str, tuple[str, ...]]

    def plan(self) -> Plan:
        """Return what is missing to follow the tables."""
        with self.engine.connect() as connection:
            return self.logs.plan(connection, self.name, self.columns)

    def warn(self, plan: Plan) -> None:
        """Log what could be better."""
        for text in plan.warnings:
            logger.warning('%s: %s', self.name, text)

    def prepare(self, plan: Plan) -> None:
        """Carry out the statements of a plan.

        :raises UsageError: if there is something that this cannot do
        """
        if plan.problems:
            raise UsageError('\n'.join(plan.problems))
        with self.engine.connect() as connection:
            self.logs.prepare(connection, plan)

    def release(self) -> None:
        """End the connection of a follower that has lost its locks, and may not know it."""
        with self.engine.connect() as connection:
            self.logs.release(connection, self.name)

    def kept(self) -> int:
        """Return how many bytes of its log the database keeps on its disk for this mirror.

        :raises UsageError: if it deletes its log whoever has read it
        """
        with self.engine.connect() as connection:
            return self.logs.kept(connection, self.name)

    def forget(self) -> bool:
        """Have the database keep no log for this mirror, unless a reader is connected.

        :returns: whether it keeps none now
        """
        with self.engine.connect() as connection:
            return self.logs.forget(connection, self.name)


def drop(database: Engine | URL, sources: Sequence[Source], name: str) -> list[str]:
    """Remove what :meth:`Setup.prepare` made, also for a mirror that cannot be followed by now.

    :returns: the statements that were carried out
    """
    with opened(database) as engine, engine.connect() as connection:
        return log_of(engine).drop(connection, name or name_of_mirror(sources))


@contextmanager
def open_setup(
    database: Engine | URL, sources: list[Source], follow: Mapping[Any, Any], name: str
) -> Iterator[Setup]:
    """Give what a mirror follows, and close the connections at the end.

    :param follow: see :func:`~.traces.traces_of`
    :raises UsageError: if it cannot be followed, with all reasons
    """
    with opened(database) as engine:
        yield _setup(engine, sources, follow, name)


def _setup(engine: Engine, sources: list[Source], follow: Mapping[Any, Any], name: str) -> Setup:
    for source in sources:
        if source.model.PARTITIONS:
            raise UsageError(
                f'{source.name}: a mirror of a model with PARTITIONS cannot follow a log, since a '
                'commit changes several partitions, which no step writes at once. Run the mirror '
                'every few minutes instead: every=, or --every 5m.'
            )
    logs = log_of(engine)
    check_diff(sources)
    for source in sources:
        if source.fold:
            raise UsageError(f'{source.name}: a mirror with foldKeys cannot follow a log.')
    traces = traces_of(sources, follow)
    with engine.connect() as connection:
        named = [*_named(connection, traces, logs.name_of)]
    for trace in traces:
        with engine.connect() as connection:
            check_given(connection, trace)
    columns: dict[str, dict[str, None]] = {}
    for table, trace in named:
        columns.setdefault(table, {}).update(dict.fromkeys(trace.columns))
    wanted = {table: tuple(names) for table, names in columns.items()}
    return Setup(name or name_of_mirror(sources), engine, sources, logs, named, wanted)


def _named(
    connection: Connection,
    traces: list[Trace],
    name_of: Callable[[Connection, str, str | None], str | None],
) -> list[tuple[str, Trace]]:
    found = []
    for trace in traces:
        name = name_of(connection, trace.table, trace.schema)
        if name is None:
            raise UsageError(f'{trace.source.name}: the database has no table {trace.table!r}.')
        found.append((name, trace))
    return found


def name_of_mirror(sources: Sequence[Source]) -> str:
    """Return a name for what the database keeps for a mirror, from the names of its models."""
    names = sorted(str(source.model.KEY_NAME) for source in sources)
    first = re.sub(r'[^a-z0-9]+', '_', names[0].lower()).strip('_')[:24]
    digest = hashlib.sha256('\n'.join(names).encode()).hexdigest()
    return f'{first}_{digest[:8]}'
