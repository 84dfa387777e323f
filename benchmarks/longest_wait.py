"""``python -m benchmarks.longest_wait``: how long does a reader wait beside each command?

Fills a server of its own, runs each command of the command line on it while a reader asks small
queries one after the other, and prints how long those took. The column "pauses" says by how much a
pause of the reader came out too long at most, which is this machine's doing: waits that are not
longer than that say nothing of the server.
"""

from __future__ import annotations

import argparse
import os
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import redis

from IndexedRedis import IndexedRedisModel, IRField, embedded, setDefaultRedisConnectionParams
from IndexedRedis._core.script import load_all

ROOT = Path(__file__).parent.parent
ARTISTS = 30_000
GENRES = ('Rock', 'Pop', 'Jazz', 'Blues', 'Metal')


class Track(IndexedRedisModel):
    """Few genres, ten objects for each artist, and an index with a value for each object."""

    FIELDS = [
        IRField('name'),
        IRField('artist'),
        IRField('genre'),
        IRField('seconds', valueType=int),
        IRField('isrc', hashIndex=True),
    ]
    INDEXED_FIELDS = ['artist', 'genre', 'isrc']
    KEY_NAME = 'Wait:Track'


MODEL = 'benchmarks.longest_wait:Track'
MIRROR = 'benchmarks.longest_wait_mirror'
# What is run, by name; {folder} is kept until the end.
COMMANDS: dict[str, list[str]] = {
    'nothing': [],
    'models': ['models'],
    'info': ['info', MODEL],
    'explain, few rows': ['explain', MODEL, 'artist=artist 7', 'genre__ne=Rock'],
    'explain, many rows': ['explain', MODEL, 'genre=Rock', 'artist__ne=artist 7'],
    'explain --analyze, few rows': ['explain', MODEL, 'artist=artist 7', '--analyze'],
    'check': ['check', MODEL],
    'repair': ['repair', '--yes', MODEL],
    'reindex': ['reindex', MODEL],
    'export': ['export', MODEL, '--output', '{folder}/tracks.jsonl'],
    'import, the same pks': ['import', MODEL, '{folder}/tracks.jsonl'],
    'import --new-pks': ['import', MODEL, '{folder}/tracks.jsonl', '--new-pks'],
    'mirror': ['mirror', f'{MIRROR}:tracks'],
    'mirror --mode diff': ['mirror', f'{MIRROR}:changed', '--mode', 'diff'],
    'import --mode add': ['import', MODEL, '{folder}/tracks.jsonl', '--mode', 'add'],
}
NOTHING_SECONDS = 5
AT_ONCE = 5000
PAUSE = 0.0005
SLOW = 100_000


def track(number: int) -> Track:
    """One of the objects."""
    return Track(
        name=f'track {number}',
        artist=f'artist {number % ARTISTS}',
        genre=GENRES[number % 5],
        seconds=number % 400,
        isrc=f'isrc {number}',
    )


def build_database(file: str, objects: int) -> None:
    """The same tracks in SQLite, for the mirrors."""
    numbers = 'WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < ?)'
    with sqlite3.connect(file) as database:
        database.execute(f'CREATE TABLE tracks AS {numbers} SELECT i FROM n', [objects])
    database.close()


class Reader(threading.Thread):
    """Asks small queries until it is stopped."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.waits: list[float] = []
        #: how much longer than asked for a pause was at most: that is this machine, not the server
        self.machine = 0.0
        self._over = threading.Event()

    def run(self) -> None:
        number = 0
        while not self._over.is_set():
            number += 1
            query = Track.objects.filter(artist=f'artist {number % ARTISTS}', genre__ne='Rock')
            begin = time.perf_counter()
            query.all()
            self.waits.append(time.perf_counter() - begin)
            begin = time.perf_counter()
            time.sleep(PAUSE)  # a reader, not a flood
            self.machine = max(self.machine, time.perf_counter() - begin - PAUSE)

    def stop(self) -> None:
        """End it."""
        self._over.set()
        self.join()


class Outcome(NamedTuple):
    """What one command did to the reader, in milliseconds."""

    seconds: float
    status: int
    queries: int
    longest: float
    p99: float
    machine: float
    slowest: float
    slowest_command: str


def measure(client: Any, args: list[str], url: str, folder: str) -> Outcome:
    """Run one command beside a reader."""
    client.slowlog_reset()
    reader = Reader()
    reader.start()
    begin = time.perf_counter()
    status = run(args, url, folder) if args else time.sleep(NOTHING_SECONDS) or 0
    seconds = time.perf_counter() - begin
    reader.stop()
    logged = (each for each in client.slowlog_get(SLOW) if b'SLOWLOG' not in each['command'])
    slow = max(logged, key=lambda each: each['duration'], default=None)
    waits = sorted(1000 * wait for wait in reader.waits)
    return Outcome(
        seconds,
        status,
        len(waits),
        waits[-1],
        waits[int(0.99 * len(waits))],
        1000 * reader.machine,
        0.0 if slow is None else slow['duration'] / 1000,
        '' if slow is None else name_of(slow['command']),
    )


def name_of(command: bytes) -> str:
    """The name of a command, or of the script that it runs."""
    name, *rest = command.split(b' ')
    if name == b'EVALSHA' and rest:
        for script in load_all():
            if script.sha == rest[0]:
                return f'script "{script.name}"'
    return name.decode('ascii', 'replace')


def run(args: list[str], url: str, folder: str) -> int:
    """Run a command in a process of its own; its output goes to a file."""
    command = [sys.executable, '-m', 'IndexedRedis']
    env = {**os.environ, 'PYTHONPATH': str(ROOT), 'TRACKS': f'{folder}/tracks.sqlite'}
    with Path(folder, 'output').open('ab') as output:
        done = subprocess.run(
            [*command, *(word.format(folder=folder) for word in args), '--url', url],
            stdout=output,
            stderr=output,
            env=env,
            check=False,
            preexec_fn=partial(os.setpriority, os.PRIO_PROCESS, 0, 19),
        )
    if done.returncode:
        print(Path(folder, 'output').read_text().splitlines()[-1])
    return done.returncode


def main() -> None:
    """Run all commands."""
    parser = argparse.ArgumentParser(prog='python -m benchmarks.longest_wait', description=__doc__)
    parser.add_argument('--objects', type=int, default=300_000)
    parser.add_argument('--only', nargs='*', choices=COMMANDS, help='these commands only')
    parser.add_argument('--url', help='an empty server to use, which is emptied at the end')
    options = parser.parse_args()
    _hurry()
    server = None if options.url else embedded.start()
    url = options.url or 'redis://{host}:{port}/0'.format(**server.params)
    client = redis.Redis.from_url(url)
    if client.dbsize():
        parser.error(f'{url} is not empty; name a server without data')
    setDefaultRedisConnectionParams({'url': url})
    try:
        begin = time.perf_counter()
        for first in range(0, options.objects, AT_ONCE):
            last = min(first + AT_ONCE, options.objects)
            Track.saver.save([track(number) for number in range(first, last)])
        filled = time.perf_counter() - begin
        _prefer(client.info()['process_id'])
        client.config_set('slowlog-log-slower-than', 1000)  # microseconds
        client.config_set('slowlog-max-len', SLOW)
        print(f'{options.objects:,} objects, {client.dbsize():,} keys, filled in {filled:.0f} s\n')
        print(
            f'{"beside":28} {"took":>8} {"status":>6} {"queries":>8} {"p99":>9} {"longest":>9} '
            f'{"pauses":>9}   slowest command of the server'
        )
        with tempfile.TemporaryDirectory() as folder:
            build_database(f'{folder}/tracks.sqlite', options.objects)
            for name in options.only or COMMANDS:
                _show(name, measure(client, COMMANDS[name], url, folder))
    finally:
        client.flushall()
        if server:
            server.stop()


def _hurry() -> None:
    """Have server and reader preferred to whatever else this machine does, where that is allowed:
    what is measured is whether one keeps the other waiting."""
    try:
        os.setpriority(os.PRIO_PROCESS, 0, -15)
    except PermissionError:
        print('not allowed to raise the priority: waits for this machine are counted too\n')


def _prefer(server: int) -> None:
    """Have nothing else take the server's core from it: its slow log says what takes long, not what
    others do meanwhile. (Not SCHED_FIFO: Linux stops what runs so for 50 ms in every second.)"""
    with suppress(PermissionError):
        os.setpriority(os.PRIO_PROCESS, server, -20)


def _show(name: str, outcome: Outcome) -> None:
    print(
        f'{name:28} {outcome.seconds:6.1f} s {outcome.status:6} {outcome.queries:8,} '
        f'{outcome.p99:6.1f} ms {outcome.longest:6.1f} ms {outcome.machine:6.1f} ms   '
        f'{outcome.slowest:.1f} ms {outcome.slowest_command}',
        flush=True,
    )


if __name__ == '__main__':
    main()
