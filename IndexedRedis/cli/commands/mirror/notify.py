"""Tell systemd how a command is: ready, alive, stopping.

The rule: without ``NOTIFY_SOCKET`` this does nothing, and it never fails or waits long.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping
from contextlib import suppress
from time import monotonic

__all__ = ('Notifier',)

# Seconds that a full socket may keep the command waiting.
SEND_SECONDS = 1.0
# Seconds between two signs of life, and for how long one extends the time that systemd gives the
# start of a service.
ALIVE_SECONDS, START_SECONDS = 1.0, 60


class Notifier:
    """Sends the messages of sd_notify(3).

    :param environment: has the variables that systemd sets
    """

    def __init__(self, environment: Mapping[str, str] = os.environ) -> None:
        path = environment.get('NOTIFY_SOCKET', '')
        self._address = '\0' + path[1:] if path.startswith('@') else path
        self._ready = False
        self._status, self._sent = '', 0.0
        #: seconds between two signs of life
        self.pause = ALIVE_SECONDS
        limit = environment.get('WATCHDOG_USEC', '')
        self._watched = limit.isdecimal() and environment.get('WATCHDOG_PID', '') in (
            '',
            str(os.getpid()),
        )
        if self._watched:
            self.pause = min(ALIVE_SECONDS, int(limit) / 4_000_000)

    def ready(self) -> None:
        """Say once that the service has started."""
        if not self._ready:
            self._ready = True
            self._send('READY=1')

    def alive(self, status: str = '') -> None:
        """Say what the service does, at most as often as systemd needs it.

        :param status: empty: what it did before
        """
        self._status = status.partition('\n')[0] or self._status
        if not self._address or monotonic() - self._sent < self.pause:
            return
        self._sent = monotonic()
        lines = [f'STATUS={self._status}']
        if not self._ready:
            lines.append(f'EXTEND_TIMEOUT_USEC={START_SECONDS}000000')
        elif self._watched:
            lines.append('WATCHDOG=1')
        self._send('\n'.join(lines))

    def stopping(self) -> None:
        """Say that the service ends."""
        self._send('STOPPING=1')

    def _send(self, text: str) -> None:
        if self._address:
            with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
                sender.settimeout(SEND_SECONDS)
                sender.sendto(text.encode('utf-8'), self._address)
