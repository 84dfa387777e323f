"""Who makes the page, and the processes in which they do.

The rule: what is measured is named here once, so that tables, JSON and aims agree.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import Any, NamedTuple

from ..results import OLD, US

__all__ = ('BASELINES', 'REMEMBERED', 'Subject', 'Team', 'of_models', 'of_sql')

HERE = Path(__file__).parent
# The pages of SQLAlchemy, and how they are written.
SQL_PAGES = {'joins': 'ORM, joins', 'collections': 'ORM, selectinload', 'rows': 'plain rows'}
# This library where the model has a CLIENT_SIDE_CACHE.
REMEMBERED = f'{US}, cached'
# What ratios are to: the first of these that took part.
BASELINES = ('MariaDB, ORM, joins', 'SQLite, ORM, joins')


class Team:
    """Some equal worker processes, and the server they ask.

    :param stack: they end with it
    :param size: how many there are
    :param kind: of the worker, and ``where`` its database is
    :param server: pid of the database server; None where there is none
    :param python: an interpreter that has 6.0.3; None for our own
    """

    def __init__(
        self,
        stack: ExitStack,
        size: int,
        kind: str,
        where: str,
        server: int | None,
        python: Path | None = None,
    ) -> None:
        # 6.0.3 must not find us, who have the same name; the others must.
        command = [str(python), '-I'] if python else [sys.executable]
        self._processes = [
            subprocess.Popen(
                [*command, str(HERE / 'worker.py'), kind, where],
                env={**os.environ, 'PYTHONPATH': str(HERE.parent.parent)},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
            for _ in range(size)
        ]
        for process in self._processes:
            stack.callback(process.communicate)
        self.server = server

    def ask(self, commands: list[list[Any]]) -> list[Any]:
        """Give one worker each of these commands; return the answers."""
        working = self._processes[: len(commands)]
        for process, command in zip(working, commands, strict=True):
            assert process.stdin
            process.stdin.write(json.dumps(command) + '\n')
            process.stdin.flush()
        lines = [process.stdout.readline() for process in working if process.stdout]
        if not all(lines):
            raise SystemExit(f'a worker ended; its last words are above: {working[0].args}')
        return [json.loads(line) for line in lines]


class Subject(NamedTuple):
    """A way to make the page: its name, who does it, and which of their pages it is."""

    name: str
    team: Team
    page: str


def of_models(
    stack: ExitStack, size: int, port: int, server: int, old: Path | None
) -> list[Subject]:
    """This library, in threads and in asyncio, and 6.0.3 if there is an interpreter that has it."""
    ours = Team(stack, size, 'models', str(port), server)
    tasks = Team(stack, size, 'asyncio', str(port), server)
    found = [
        Subject(US, ours, 'joined'),
        Subject(REMEMBERED, ours, 'remembered'),
        Subject(f'{US}, asyncio', tasks, 'joined'),
        Subject(f'{REMEMBERED}, asyncio', tasks, 'remembered'),
        Subject(f'{US}, links', ours, 'linked'),
    ]
    if old:
        theirs = Team(stack, size, 'models', str(port), server, old)
        found += [Subject(OLD, theirs, 'joined'), Subject(f'{OLD}, links', theirs, 'linked')]
    return found


def of_sql(stack: ExitStack, size: int, name: str, url: str, server: int | None) -> list[Subject]:
    """SQLAlchemy on one database.

    :param name: of the database
    """
    team = Team(stack, size, 'sql', url, server)
    return [Subject(f'{name}, {how}', team, page) for page, how in SQL_PAGES.items()]
