"""``python -m benchmarks.promises``: starts a server of its own and prints a table."""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import platform
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import redis

from IndexedRedis import embedded

from .duel import compare
from .reads import gets, large_queries, pools, small_queries
from .resets import resets
from .shop import ROWS, Shop
from .writes import bulk_insert, deletes, inserts, updates


@contextlib.contextmanager
def one_core(server: int) -> Iterator[None]:
    """Have this process and the server share a core, where the system can do that.

    Waking up another core takes longer than most commands, on some days and not on others.
    """
    if not hasattr(os, 'sched_setaffinity'):
        yield
        return
    before = {pid: os.sched_getaffinity(pid) for pid in (0, server)}
    for pid in before:
        os.sched_setaffinity(pid, {min(before[0])})
    yield
    for pid, cores in before.items():
        os.sched_setaffinity(pid, cores)


def measure(params: dict[str, Any], server: int, quick: bool) -> list[dict[str, Any]]:
    """All rows."""
    shop = Shop(params)
    fit = lambda duel: duel._replace(repeat=5) if quick else duel  # noqa: E731
    found = []
    with one_core(server):
        for duel in (*inserts(shop), *updates(shop), bulk_insert(shop), *deletes(shop)):
            found.append(compare(fit(duel)))
        shop.fill(ROWS)
        for duel in (gets(shop), *small_queries(shop), *large_queries(shop), *pools(shop)):
            found.append(compare(fit(duel)))
    found += resets(shop, 3 if quick else 25)
    shop.clear()
    return found


def main() -> None:
    """Run all duels."""
    parser = argparse.ArgumentParser(prog='python -m benchmarks.promises', description=__doc__)
    parser.add_argument('--quick', action='store_true', help='fewer repetitions')
    parser.add_argument('--json', metavar='FILE', help='write the figures there as well')
    options = parser.parse_args()
    with embedded.start() as server, redis.Redis(**server.params) as client:
        about = client.info('server')
        where = {
            'date': time.strftime('%Y-%m-%d'),
            'machine': f'{platform.system()} {platform.machine()}, {os.cpu_count()} cores',
            'python': platform.python_version(),
            'redis-py': redis.__version__,
            'server': about.get('valkey_version', about['redis_version']),
        }
        print(', '.join(f'{name} {value}' for name, value in where.items()))
        print('promise, work, with it, without it, ratio (quarter marks)\n')
        found = measure(dict(server.params), about['process_id'], options.quick)
    if options.json:
        text = json.dumps({**where, 'rows': found}, indent=1)
        Path(options.json).write_text(text + '\n', 'utf-8')


if __name__ == '__main__':
    main()
