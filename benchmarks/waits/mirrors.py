"""Define the mirrors that the command line runs: all rows from SQLite, and one in 1,000 changed."""

from __future__ import annotations

import os

from IndexedRedis.mirror import Mirror

from .model import DATA, Parent, Row

URL = f'sqlite:///{os.environ["BENCHMARKS_SQLITE"]}'
PARENTS = f'SELECT DISTINCT {DATA.changed} AS name FROM rows WHERE {DATA.changed} IS NOT NULL'
ROWS = f'SELECT *, {DATA.changed} AS parent FROM rows'
*_, VARIED = (key for key, kind in DATA.kinds.items() if kind == 'int' and key not in DATA.indexed)
OTHERS = ', '.join(key for key in DATA.kinds if key != VARIED)
CHANGED = f"""
    SELECT number, {OTHERS}, {DATA.changed} AS parent, {VARIED} + (number % 1000 = 0) AS {VARIED}
    FROM rows
"""
KEYS = {Row: 'number', Parent: 'name'}

everything = Mirror(URL, {Row: ROWS, Parent: PARENTS}, keys=KEYS, dangling='null')
changed = Mirror(URL, {Row: CHANGED, Parent: PARENTS}, keys=KEYS, dangling='null', mode='diff')
