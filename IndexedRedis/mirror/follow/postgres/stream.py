"""The connection of a replication slot: messages of the log come in, acknowledgements go out.

The rule: the database is told to forget exactly what :meth:`Stream.confirm` was given. The cursor
of psycopg2 also confirms what the server reports in keepalives, so that nobody can compare the
slot with what Redis holds; this file speaks the protocol itself, through libpq as psycopg has it.
"""

from __future__ import annotations

import selectors
import struct
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from sqlalchemy import URL

from ....errors import MissingExtraError
from ..log import LogBrokenError, LogLostError
from .errors import SlotActiveError, error_of

if TYPE_CHECKING:
    from psycopg import Connection
    from psycopg.pq.abc import PGconn, PGresult

__all__ = ('Stream',)

# How long the server may take to notice that the last reader of the slot is gone, in seconds.
MOST_LEAVING = 5.0
# How values are written. A follower that is busy with a load answers late, so the server waits
# longer than its usual minute, and learns by the network that the other side is gone.
_SETTINGS = {
    'datestyle': 'ISO',
    'intervalstyle': 'postgres',
    'timezone': 'UTC',
    'wal_sender_timeout': '10min',
    'tcp_keepalives_idle': '30',
    'tcp_keepalives_interval': '10',
    'tcp_keepalives_count': '3',
}
# The same for this side. The options of a URL go first.
_DEFAULTS = {
    'connect_timeout': '10',
    'keepalives_idle': '10',
    'keepalives_interval': '5',
    'keepalives_count': '3',
    'tcp_user_timeout': '30000',
}
_DATA = b'w'[0]  # the other kind of message is a keepalive
_HEADER = 25  # bytes before the message itself: kind, two positions, time
_STREAMING_FROM = 140000  # the version of PostgreSQL that sends transactions before they end


class Stream:
    """A connection that reads a slot from where it was confirmed.

    :param url: of the database, for any driver
    :param slot: name of the slot, and of the publication
    :raises LogBrokenError: if the server cannot be reached, or another process reads the slot
    :raises LogLostError: if the slot is gone
    :raises MissingExtraError: if psycopg is not installed
    """

    def __init__(self, url: URL, slot: str) -> None:
        self._slot = slot
        #: up to here, all commits have been sent
        self.reached = 0
        self._confirmed = 0
        self._connection = _connect(url, slot)
        self._libpq: PGconn = self._connection.pgconn
        self._selector = selectors.DefaultSelector()
        try:
            self._selector.register(self._libpq.socket, selectors.EVENT_READ)
            self.system = self._identify()
            self._start()
        except BaseException:
            self.close()
            raise

    def _identify(self) -> str:
        """Return the number that the server's cluster of databases got when it was made."""
        value = self._execute('IDENTIFY_SYSTEM').get_value(0, 0)
        return (value or b'').decode()

    def _start(self) -> None:
        protocol = "proto_version '2', streaming 'on'"
        if self._libpq.server_version < _STREAMING_FROM:
            protocol = "proto_version '1'"
        command = (
            f'START_REPLICATION SLOT "{self._slot}" LOGICAL 0/0 '
            f'({protocol}, publication_names \'"{self._slot}"\')'
        )
        end = time.monotonic() + MOST_LEAVING
        while True:
            try:
                self._execute(command)
                return
            except SlotActiveError:
                if time.monotonic() > end:
                    raise
                time.sleep(0.05)

    def _execute(self, command: str) -> PGresult:
        from psycopg.pq import ExecStatus

        result = self._libpq.exec_(command.encode())
        if result.status in (ExecStatus.TUPLES_OK, ExecStatus.COPY_BOTH):
            return result
        raise self._error(result)

    def wait(self, seconds: float) -> bool:
        """Wait until something can be read; return whether it can."""
        return bool(self._selector.select(max(seconds, 0)))

    def messages(self) -> Iterator[bytes]:
        """Yield the messages that have arrived."""
        import psycopg

        try:
            tries = 0
            # Twice: a read of TLS may leave bytes that the socket does not announce again.
            while tries < 2:
                size, data = self._libpq.get_copy_data(1)
                if size == 0:
                    self._libpq.consume_input()
                    tries += 1
                    continue
                if size < 0:
                    raise self._ended()
                tries = 0
                if data[0] == _DATA:
                    yield bytes(data[_HEADER:])
                else:
                    self._keepalive(bytes(data))
        except psycopg.Error as error:
            raise error_of(self._slot, error.sqlstate, str(error)) from error

    def _keepalive(self, data: bytes) -> None:
        self.reached = max(self.reached, int.from_bytes(data[1:9]))
        if data[17]:
            self._report()

    def _ended(self) -> LogBrokenError | LogLostError:
        result = self._libpq.get_result()
        return self._error(result) if result else error_of(self._slot, None, 'the server ended it')

    def _error(self, result: PGresult) -> LogBrokenError | LogLostError:
        from psycopg.pq import DiagnosticField

        code = result.error_field(DiagnosticField.SQLSTATE)
        text = result.error_message.decode(errors='replace')
        return error_of(self._slot, code.decode() if code else None, text)

    def ask(self) -> None:
        """Have the server tell how far it has read its log, in :attr:`reached`."""
        self._report(reply=True)

    def confirm(self, position: int) -> None:
        """Let the database forget the log up to a position."""
        if position > self._confirmed:
            self._confirmed = position
            self._report()

    def _report(self, reply: bool = False) -> None:
        import psycopg

        # What was written, flushed and applied is the same here. The server takes no clock.
        places = [self._confirmed] * 3
        report = struct.pack('>c3QqB', b'r', *places, 0, reply)
        try:
            self._libpq.put_copy_data(report)
            self._libpq.flush()
        except psycopg.Error as error:
            raise error_of(self._slot, error.sqlstate, str(error)) from error

    def close(self) -> None:
        """Close the connection."""
        self._selector.close()
        self._connection.close()


def _connect(url: URL, slot: str) -> Connection[Any]:
    try:
        import psycopg
    except ImportError:
        raise MissingExtraError('postgres-follow', 'Following PostgreSQL') from None
    arguments = _DEFAULTS | _arguments(url)
    settings = ' '.join(f'-c {name}={value}' for name, value in _SETTINGS.items())
    arguments |= {
        'replication': 'database',
        'client_encoding': 'UTF8',
        'application_name': slot,
        'options': f'{arguments.get("options", "")} {settings}'.strip(),
    }
    try:
        return psycopg.Connection.connect(**arguments, autocommit=True)
    except psycopg.Error as error:
        raise error_of(slot, error.sqlstate, str(error)) from error


def _arguments(url: URL) -> dict[str, Any]:
    """Return what libpq calls the parts and options of a URL; SQLAlchemy knows them by psycopg2."""
    translated = url.set(drivername='postgresql+psycopg2')
    _, arguments = translated.get_dialect()().create_connect_args(translated)
    return dict(arguments)
