"""The binlog as a server sends it to a replica, over a connection of pymysql.

The rule: a wait ends at its time, whatever has arrived; what arrived in part is read on by the next
wait. A server that sends no heartbeat for long is a broken connection.
"""

from __future__ import annotations

import secrets
import selectors
import struct
import time
import zlib
from collections.abc import Mapping
from typing import Any

from ..log import LogBrokenError, LogLostError
from .connecting import as_log_errors, of_server, pymysql
from .events import CHECKSUM, Event, Kind, has_checksums, rotated_to
from .position import WRAP, Position, place

__all__ = ('SILENT_SECONDS', 'Stream', 'began')

HEARTBEAT_SECONDS = 5
SILENT_SECONDS = 30.0
# The server waits for a reader that is busy; it must not take it for dead.
WRITE_SECONDS = 3600
RECEIVED = 1 << 18
_COM_BINLOG_DUMP = 0x12
_WHOLE_PACKET = 0xFFFFFF


class Stream:
    """The binlog from a place on.

    :param settings: of a connection, by the names that pymysql has for them
    :param start: where a commit, or a file, begins
    :param waits: whether the server waits for more at the end, or closes the connection
    :raises LogLostError: if the server does not send it
    """

    def __init__(self, settings: Mapping[str, Any], start: Position, waits: bool = True) -> None:
        if start.offset >= WRAP:
            raise LogLostError(
                f'The binlog {start.file} is larger than 4 GiB, and no reader can begin after '
                'these. All data has to be replaced; smaller transactions keep the files small.'
            )
        #: the place after the last event that was read
        self.reached = start
        self._checked = False
        self._buffer, self._at = bytearray(), 0
        self._heard = time.monotonic()
        with as_log_errors():
            self._connection = pymysql().connect(**settings)
            try:
                self._ask(start, waits)
            except BaseException:
                self._connection.close()
                raise
        self._socket: Any = self._connection._sock
        self._socket.settimeout(SILENT_SECONDS)
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._socket, selectors.EVENT_READ)

    def _ask(self, start: Position, waits: bool) -> None:
        """Ask for the binlog."""
        with self._connection.cursor() as cursor:
            # It sends the checksums of events that have some only to those who know of them.
            cursor.execute('SET @master_binlog_checksum = @@global.binlog_checksum')
            # It sends what MariaDB 10.0.2 and later write, as it is.
            cursor.execute('SET @mariadb_slave_capability = 4')
            nanoseconds = round(HEARTBEAT_SECONDS * 10**9)
            cursor.execute(f'SET @master_heartbeat_period = {nanoseconds}')
            cursor.execute(f'SET SESSION net_write_timeout = {WRITE_SECONDS}')
        # The server ends a connection whose number another reader has: a follower of another Redis
        # may have the same name, so no name makes a number.
        number = secrets.randbits(31) | 1 << 31
        asked = struct.pack('<IHI', start.offset, not waits, number) + start.file.encode()
        self._connection._execute_command(_COM_BINLOG_DUMP, asked)

    def next(self, until: float) -> Event | None:
        """Return the next event; None if there is none yet.

        :param until: when to stop waiting, by the monotonic clock
        """
        with as_log_errors():
            packet = self._packet(until)
        if packet is None:
            return None
        if packet[0] != 0:
            _refuse(packet)
        event = self._event(packet[1:])
        if event.kind == Kind.ROTATE:
            self.reached = place(*rotated_to(event.body))
        elif event.end and event.kind != Kind.HEARTBEAT:
            self.reached = self.reached.after(event.end)
        return event

    def close(self) -> None:
        """Close the connection."""
        self._selector.close()
        self._connection.close()

    def _event(self, data: bytes) -> Event:
        """Return an event without its checksum."""
        event = Event.parsed(data)
        if event.kind == Kind.FORMAT:
            self._checked = has_checksums(event.body)
        elif event.kind == Kind.ROTATE:
            # It comes between two files, of which only one may have checksums.
            if data[-CHECKSUM:] != zlib.crc32(data[:-CHECKSUM]).to_bytes(CHECKSUM, 'little'):
                return event
        elif not self._checked:
            return event
        return event._replace(body=event.body[:-CHECKSUM])

    def _packet(self, until: float) -> bytes | None:
        while True:
            packet = self._cut()
            if packet is not None:
                return packet
            if not self._wait(until):
                return None
            data = self._socket.recv(RECEIVED)
            if not data:
                raise LogBrokenError('The connection to MariaDB broke: the server closed it.')
            self._heard = time.monotonic()
            if self._at == len(self._buffer):
                self._buffer, self._at = bytearray(data), 0
            else:
                self._buffer += data

    def _cut(self) -> bytes | None:
        """Return the packet that the buffer begins with, if it is there as a whole."""
        at, parts = self._at, []
        while len(self._buffer) - at >= 4:
            size = int.from_bytes(self._buffer[at : at + 3], 'little')
            if len(self._buffer) - at - 4 < size:
                return None
            parts.append(self._buffer[at + 4 : at + 4 + size])
            at += 4 + size
            if size < _WHOLE_PACKET:
                self._at = at
                return b''.join(parts)
        return None

    def _wait(self, until: float) -> bool:
        """Return whether bytes can be read."""
        pending = getattr(self._socket, 'pending', None)  # of TLS
        if pending and pending():
            return True
        while True:
            now = time.monotonic()
            silent = self._heard + SILENT_SECONDS
            if self._selector.select(max(0.0, min(until, silent) - now)):
                return True
            now = time.monotonic()
            if now >= silent:
                raise LogBrokenError(
                    f'The connection to MariaDB broke: nothing came for {SILENT_SECONDS:g} s, '
                    'not even a heartbeat.'
                )
            if now >= until:
                return False


def began(settings: Mapping[str, Any], file: str) -> int:
    """Return when the server began a file of the binlog, in seconds of Unix time."""
    stream = Stream(settings, place(file, 4), waits=False)
    try:
        until = time.monotonic() + SILENT_SECONDS
        while event := stream.next(until):
            if event.kind == Kind.FORMAT:
                return event.at
        raise LogBrokenError(f'MariaDB sends nothing of its binlog {file}.')
    finally:
        stream.close()


def _refuse(packet: bytes) -> None:
    """Raise what the server says in the place of an event."""
    if packet[0] == 0xFF:
        number = int.from_bytes(packet[1:3], 'little')
        text = packet[3:].decode(errors='replace')
        raise of_server(number, text[6:] if text.startswith('#') else text)
    raise LogBrokenError('The connection to MariaDB broke: the server ended its binlog.')
