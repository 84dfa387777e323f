"""Measure the floor of a work: the same bytes, sent and received over a bare socket.

The rest is what a client adds: it makes the bytes, and reads them. Works that only read have a
floor. A write sends other bytes each time.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import groupby
from typing import Any
from unittest import mock

import redis

PATIENCE = 2.0  # seconds for a reply, when the bytes are sent for the first time
Event = tuple[bool, bytes]  # whether it was sent, and the bytes
# By method of a socket: which bytes, from its argument and its result.
RECORDED: dict[str, Callable[[Any, Any], Any]] = {
    'sendall': lambda data, result: data,
    'send': lambda data, count: memoryview(data)[:count],
    'recv': lambda size, data: data,
    'recv_into': lambda buffer, count: memoryview(buffer)[:count],
}


@contextmanager
def recorded() -> Iterator[list[Event]]:
    """Give a list to which everything goes that this process sends and receives meanwhile."""
    events: list[Event] = []

    def recording(name: str) -> Callable[..., Any]:
        original = getattr(socket.socket, name)

        def method(own: Any, given: Any, *args: Any) -> Any:
            result = original(own, given, *args)
            events.append((name.startswith('send'), bytes(RECORDED[name](given, result))))
            return result

        return method

    with mock.patch.multiple(socket.socket, **{name: recording(name) for name in RECORDED}):
        yield events


def exchanges(events: list[Event]) -> list[Event]:
    """Return the events with neighbours of one kind joined."""
    runs = groupby(events, key=lambda event: event[0])
    return [(sent, b''.join(data for _, data in run)) for sent, run in runs]


def measure(run: Callable[[], Any], connection: dict[str, Any]) -> float | None:
    """Return the seconds of a work's bytes over a bare socket.

    :param run: the work
    :param connection: connection parameters of redis-py for the database that it reads
    :returns: None if the server answers otherwise the second time
    """
    run()  # connections are made, and scripts known
    with recorded() as events:
        run()
    steps = exchanges(events)
    line = redis.Redis(**connection).connection_pool.make_connection()
    line.connect()
    line._sock.settimeout(PATIENCE)
    try:
        if any(_step(line._sock, *step) != step[1] for step in steps):
            return None
        began = time.perf_counter()
        for step in steps:
            _step(line._sock, *step)
        return time.perf_counter() - began
    except TimeoutError:
        return None
    finally:
        line.disconnect()


def _step(line: socket.socket, sent: bool, data: bytes) -> bytes:
    """Send the bytes, or receive as many; return them."""
    if sent:
        line.sendall(data)
        return data
    received = bytearray()
    while len(received) < len(data):
        part = line.recv(min(len(data) - len(received), 1 << 20))
        if not part:
            raise TimeoutError
        received += part
    return bytes(received)
