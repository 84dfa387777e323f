"""Measure the floor of a work: the same bytes, sent and received over a bare socket.

The rest is what a client adds: it makes the bytes, and reads them. Works that only read have a
floor. A write sends other bytes each time.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import redis

PATIENCE = 2.0  # seconds for a reply, when the bytes are sent for the first time
Event = tuple[bool, bytes]  # whether it was sent, and the bytes


# By method of a socket: whether it sends, and which bytes, from its argument and its result.
RECORDED: dict[str, tuple[bool, Callable[[Any, Any], Any]]] = {
    'sendall': (True, lambda data, result: data),
    'send': (True, lambda data, count: memoryview(data)[:count]),
    'recv': (False, lambda size, data: data),
    'recv_into': (False, lambda buffer, count: memoryview(buffer)[:count]),
}


@contextmanager
def recorded() -> Iterator[list[Event]]:
    """Give a list to which everything goes that this process sends and receives meanwhile."""
    events: list[Event] = []
    kept = {name: getattr(socket.socket, name) for name in RECORDED}

    def recording(name: str) -> Callable[..., Any]:
        sent, which = RECORDED[name]

        def method(own: Any, given: Any, *args: Any) -> Any:
            result = kept[name](own, given, *args)
            events.append((sent, bytes(which(given, result))))
            return result

        return method

    for name in RECORDED:
        setattr(socket.socket, name, recording(name))
    try:
        yield events
    finally:
        for name, method in kept.items():
            setattr(socket.socket, name, method)


def exchanges(events: list[Event]) -> list[Event]:
    """Return the events with neighbours of one kind joined."""
    joined: list[Event] = []
    for sent, data in events:
        if joined and joined[-1][0] == sent:
            joined[-1] = (sent, joined[-1][1] + data)
        elif data:
            joined.append((sent, data))
    return joined


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
    try:
        return _replayed(line._sock, steps)
    finally:
        line.disconnect()


def _replayed(line: Any, steps: list[Event]) -> float | None:
    """Return the seconds of the second replay, if the first one gave the same replies."""
    line.settimeout(PATIENCE)
    with suppress(TimeoutError):
        if all(_step(line, *step) == step[1] for step in steps):
            began = time.perf_counter()
            for step in steps:
                _step(line, *step)
            return time.perf_counter() - began
    return None


def _step(line: Any, sent: bool, data: bytes) -> bytes:
    """Send the bytes, or receive as many; return them."""
    if sent:
        line.sendall(data)
        return data
    parts, missing = [], len(data)
    while missing:
        part = line.recv(min(missing, 1 << 20))
        if not part:
            raise TimeoutError
        parts.append(part)
        missing -= len(part)
    return b''.join(parts)
