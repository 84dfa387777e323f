"""Provide the rows that long operations work on, in SQL and in a file."""

import json
import sqlite3
from contextlib import closing
from typing import Any

from ..machine import come_first
from ..rows.dataset import Dataset, make
from ..run import Run


def prepare(run: Run) -> dict[str, Any]:
    """Store the rows of a run; return the arguments of :class:`benchmarks.waits.works.Context`."""
    come_first(run.server)
    data = make(run.options.data, run.sizes.waits)
    queries = [data.query(size, 2)[0] for size in (10, run.sizes.waits // 5)]
    rows = {'kinds': data.kinds, 'indexed': data.indexed, 'changed': data.changed}
    return {
        'data': run.file_of(make(run.options.data, run.sizes.written)),
        'filters': [[f'{name}={value}' for name, value in each.items()] for each in queries],
        'rows': json.dumps({**rows, 'url': f'sqlite:///{_database(run, data)}'}),
        'folder': str(run.folder),
    }


def _database(run: Run, data: Dataset) -> str:
    """Return a SQLite database with the rows, numbered."""
    path = str(run.folder / 'rows.sqlite')
    columns = ', '.join(['number INTEGER PRIMARY KEY', *data.kinds])
    marks = ', '.join('?' * (1 + len(data.kinds)))
    with closing(sqlite3.connect(path)) as database, database:
        database.execute(f'CREATE TABLE rows ({columns})')
        rows = ((number, *row) for number, row in enumerate(data.rows, 1))
        database.executemany(f'INSERT INTO rows VALUES ({marks})', rows)
    return path
