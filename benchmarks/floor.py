"""Measure the floor of a work: the same bytes, sent and received over a bare socket.

The rest is what a client adds: it makes the bytes, and reads them. Works that only read have a
floor. A write sends other bytes each time.
"""

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


@contextmanager
def recorded() -> Iterator[list[Event]]:
    """Record what this process sends and receives in the block; give the list of events."""
    events: list[Event] = []
    sendall, recv_into = socket.socket.sendall, socket.socket.recv_into

    def sending(line: socket.socket, data: Any, *args: Any) -> None:
        events.append((True, bytes(data)))
        sendall(line, data, *args)

    def receiving(line: socket.socket, buffer: Any, *args: Any) -> int:
        count = recv_into(line, buffer, *args)
        events.append((False, bytes(memoryview(buffer)[:count])))
        return count

    with mock.patch.multiple(socket.socket, sendall=sending, recv_into=receiving):
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
    if all(sent for sent, _ in steps):  # another method of sockets received the answers
        return None
    line = redis.Redis(**connection).connection_pool.make_connection()
    line.connect()
    line._sock.settimeout(PATIENCE)
    try:
        if not _repeat(line._sock, steps):
            return None
        began = time.perf_counter()
        same = _repeat(line._sock, steps)
        seconds = time.perf_counter() - began
        return seconds if same else None
    except TimeoutError:
        return None
    finally:
        line.disconnect()


def _repeat(line: socket.socket, steps: list[Event]) -> bool:
    """Send the same again; return whether the same comes back."""
    with line.makefile('rb') as replies:
        for sent, data in steps:
            if sent:
                line.sendall(data)
            elif replies.read(len(data)) != data:
                return False
    return True
