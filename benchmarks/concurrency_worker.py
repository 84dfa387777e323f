"""One subject in a process of its own: ``concurrency_worker.py SUBJECT PORT``.

The rule: this file runs under this library and under IndexedRedis 6.0.3 as it is, so it uses only
what both have. It reads commands from standard input, one line of JSON each, and answers in kind:
``["answers", query, numbers]`` or ``["load", query, clients, numbers]``.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

sys.path.append(str(Path(__file__).parent))  # python -I leaves it out
from concurrency_load import run_tasks, run_threads

CONNECTIONS = 16
FIELDS = ('name', 'album', 'artist', 'genre', 'composer', 'milliseconds', 'bytes', 'shelf')
NUMBERS = ('milliseconds', 'bytes', 'shelf')
NAME = 'BenchConcurrent'

Answer = list[tuple[Any, ...]]
Query = Callable[[int], Any]


def artist(number: int) -> str:
    """The artist of that number, who has ten tracks."""
    return f'Artist {number}'


def _read(track: Any) -> tuple[Any, ...]:
    return track.name, track.artist, track.milliseconds


def model(connection: dict[str, Any]) -> Any:
    """The model, on these connection parameters."""
    from IndexedRedis import IndexedRedisModel, IRField

    class Track(IndexedRedisModel):
        FIELDS = [
            IRField(name, valueType=int if name in NUMBERS else str)
            for name in ('name', 'album', 'artist', 'genre', 'composer', *NUMBERS)
        ]
        INDEXED_FIELDS = ['artist', 'genre', 'shelf']
        KEY_NAME = NAME
        REDIS_CONNECTION_PARAMS = connection

    return Track


def in_threads(connection: dict[str, Any]) -> dict[str, Query]:
    """Either version of the library."""
    track = model(connection)

    def by_artist(number: int) -> Answer:
        return [_read(each) for each in track.objects.filter(artist=artist(number)).all()]

    def by_pk(number: int) -> Answer:
        return [_read(track.objects.get(number))]

    return {'filter': by_artist, 'get': by_pk}


def in_tasks(connection: dict[str, Any]) -> dict[str, Query]:
    """This library in asyncio."""
    track = model(connection)

    async def by_artist(number: int) -> Answer:
        return [_read(each) for each in await track.objects.filter(artist=artist(number)).aall()]

    async def by_pk(number: int) -> Answer:
        return [_read(await track.objects.aget(number))]

    return {'filter': by_artist, 'get': by_pk}


def by_hand(port: int) -> dict[str, Query]:
    """redis.asyncio alone, over the same keys, as one would write it."""
    import redis.asyncio

    pool = redis.asyncio.BlockingConnectionPool(
        host='127.0.0.1', port=port, max_connections=CONNECTIONS, timeout=None
    )
    client = redis.asyncio.Redis(connection_pool=pool)
    prefix = f'_ir_|{NAME}:'

    async def by_artist(number: int) -> Answer:
        pks = await client.smembers(f'{prefix}idx:artist:{artist(number)}')
        pipe = client.pipeline(transaction=False)
        for pk in pks:
            pipe.hgetall(f'{prefix}data:{pk.decode()}')
        return [_read_row(row) for row in await pipe.execute()]

    async def by_pk(number: int) -> Answer:
        return [_read_row(await client.hgetall(f'{prefix}data:{number}'))]

    return {'filter': by_artist, 'get': by_pk}


def _read_row(stored: dict[bytes, bytes]) -> tuple[Any, ...]:
    row: dict[str, Any] = {}
    for key, value in stored.items():
        name, text = key.decode(), value.decode()
        null = text == 'IRNullType()'
        row[name] = None if null else int(text) if name in NUMBERS else text
    return row['name'], row['artist'], row['milliseconds']


def queries(subject: str, port: int) -> dict[str, Query]:
    """The queries of a subject."""
    connection: dict[str, Any] = {'host': '127.0.0.1', 'port': port, 'db': 0}
    if subject == 'by hand':
        return by_hand(port)
    if subject == '6.0.3':  # its own pool does not wait for a connection, so it is given one
        import redis

        connection['connection_pool'] = redis.BlockingConnectionPool(
            **connection, max_connections=CONNECTIONS, timeout=None
        )
        return in_threads(connection)
    connection['max_connections'] = CONNECTIONS
    return {'threads': in_threads, 'asyncio': in_tasks}[subject](connection)


def serve(answer: Callable[[list[Any]], Any]) -> None:
    """Answer each command."""
    for line in sys.stdin:
        print(json.dumps(answer(json.loads(line))), flush=True)


def serve_threads(known: dict[str, Query]) -> None:
    """Commands for a subject of threads."""

    def answer(command: list[Any]) -> Any:
        what, query, *rest = command
        if what == 'load':
            return run_threads(known[query], *rest)
        return [sorted(known[query](number)) for number in rest[0]]

    serve(answer)


async def serve_tasks(known: dict[str, Callable[[int], Awaitable[Answer]]]) -> None:
    """Commands for a subject of asyncio, on one event loop."""
    for line in sys.stdin:  # the loop has nothing else to do meanwhile
        what, query, *rest = json.loads(line)
        if what == 'load':
            answer: Any = await run_tasks(known[query], *rest)
        else:
            answer = [sorted(await known[query](number)) for number in rest[0]]
        print(json.dumps(answer), flush=True)


if __name__ == '__main__':
    subject = sys.argv[1]
    known = queries(subject, int(sys.argv[2]))
    if subject in ('asyncio', 'by hand'):
        asyncio.run(serve_tasks(known))
    else:
        serve_threads(known)
