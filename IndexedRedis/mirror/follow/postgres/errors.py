"""What errors of PostgreSQL mean for a reader of its log.

The rule: an error is told as one of two kinds, that another connection may mend or that the log
is gone. No message has a password.
"""

from __future__ import annotations

from ..log import LogBrokenError, LogLostError

__all__ = ('RESYNC', 'SlotActiveError', 'error_of')

RESYNC = 'All data has to be replaced.'
# Codes of errors after which the log cannot be read from where it was.
_LOST = {
    '42704': 'the slot or the publication is gone',
    '55000': 'the slot cannot be read any more',
    '58P01': 'the database has removed a part of the log that was not read',
    '42501': 'the user may not read the log',
}


class SlotActiveError(LogBrokenError):
    """Another connection reads the slot; it may end soon."""


def error_of(slot: str, code: str | None, text: str) -> LogBrokenError | LogLostError:
    """Return the error to raise.

    :param slot: its name
    :param code: the SQLSTATE; None if the server sent none, so the connection broke
    :param text: what the server or the driver said
    """
    reason = ' '.join(text.split()).rstrip('.')
    if code in _LOST:
        return LogLostError(f'The slot {slot}: {_LOST[code]}: {reason}. {RESYNC}')
    if code == '55006':
        return SlotActiveError(f'The slot {slot} is read by another follower: {reason}.')
    return LogBrokenError(f'The connection to the log of the slot {slot} broke: {reason}.')
