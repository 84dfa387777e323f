"""``python -m benchmarks``: starts a server of its own, times all subjects, prints a table."""

from __future__ import annotations

import argparse
import platform
from functools import partial
from typing import Any

import redis

from IndexedRedis import embedded

from .by_hand import ByHand
from .data import rows
from .library import Library
from .measure import Case, Timing, run

COUNT = 10_000


def _nothing(subject: Any) -> None:
    """No preparation."""


def _cases(tracks: list[dict[str, Any]], repeat: int) -> list[Case]:
    clear = lambda subject: subject.clear()  # noqa: E731
    rest = len(tracks) - 101
    reads = [
        Case(f'filter().all(), {size:,} rows', _nothing, partial(_shelf, number), times)
        for number, size, times in ((1, 1, 200), (100, 100, 60), (0, rest, repeat))
    ]
    insert = Case(f'bulk insert of {len(tracks):,}', clear, partial(_insert, tracks), repeat)
    reset = Case(f'reset of {len(tracks):,}', _nothing, partial(_replace, tracks), repeat)
    return [insert, *reads, reset]


def _shelf(number: int, subject: Any) -> Any:
    return subject.shelf(number)


def _insert(tracks: list[dict[str, Any]], subject: Any) -> None:
    subject.insert(tracks)


def _replace(tracks: list[dict[str, Any]], subject: Any) -> None:
    subject.replace(tracks)


def _show(case: Case, timings: dict[str, Timing]) -> None:
    ours = timings[Library.name].median
    shown = [
        f'{name} {timing.median:9.2f} ms ({timing.low:.2f}-{timing.high:.2f})'
        for name, timing in timings.items()
    ]
    ratio = timings[ByHand.name].median / ours
    print(f'{case.name:28} {"   ".join(shown)}   {ratio:5.2f}x as fast', flush=True)


def main() -> None:
    """Run all cases."""
    parser = argparse.ArgumentParser(prog='python -m benchmarks', description=__doc__)
    parser.add_argument('--quick', action='store_true', help='fewer repetitions')
    parser.add_argument('--url', help='use this server, whose data of ours is lost')
    options = parser.parse_args()
    tracks = rows(COUNT + 101)
    server = None if options.url else embedded.start()
    params = {'url': options.url} if server is None else server.params
    try:
        client = redis.from_url(options.url) if options.url else redis.Redis(**params)
        version = client.info('server')
        print(f'Python {platform.python_version()}, redis-py {redis.__version__},', end=' ')
        print(f'server {version.get("valkey_version", version["redis_version"])}\n')
        subjects = [Library(params), ByHand(client)]
        for case in _cases(tracks, 3 if options.quick else 11):
            _show(case, run(case, subjects))
        for subject in subjects:
            subject.clear()
    finally:
        if server is not None:
            server.stop()


if __name__ == '__main__':
    main()
