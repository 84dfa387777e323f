"""Measure the waits of a PING beside each command, then beside each write."""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from ..machine import come_first
from ..results import BEFORE, US, Result
from ..rows.dataset import Dataset, make
from ..run import Run
from ..running.turns import compare


def waits(run: Run) -> Iterator[Result]:
    """Store the rows in SQL and in a file; measure the waits."""
    come_first(run.server)
    data = make(run.options.data, run.sizes.waits)
    database = run.folder / 'rows.sqlite'
    _store(data, database)
    rows = {'kinds': data.kinds, 'indexed': data.indexed, 'changed': data.changed}
    crew = run.crew(
        'waits.works',
        run.chosen(US, BEFORE),
        data=run.file_of(make(run.options.data, run.sizes.written)),
        rows=json.dumps({**rows, 'url': f'sqlite:///{database}'}),
        folder=str(run.folder),
    )
    yield from compare(run, 'waits', crew)


def _store(data: Dataset, path: Path) -> None:
    """Store the rows, numbered, in a SQLite database."""
    columns = ', '.join(['number INTEGER PRIMARY KEY', *data.kinds])
    marks = ', '.join('?' * (1 + len(data.kinds)))
    with closing(sqlite3.connect(path)) as database, database:
        database.execute(f'CREATE TABLE rows ({columns})')
        rows = ((number, *row) for number, row in enumerate(data.rows, 1))
        database.executemany(f'INSERT INTO rows VALUES ({marks})', rows)
