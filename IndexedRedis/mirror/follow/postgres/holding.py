"""Tables that stay as a snapshot shows them while it reads them.

The rule: a snapshot shows a table empty that a later transaction truncated, or altered by writing
it anew. So the tables are locked before the snapshot is taken; and who waits for a lock has none.
"""

from __future__ import annotations

import time
from collections.abc import Iterable

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from ...drivers.driver import code_of
from ..log import LogBrokenError

__all__ = ('hold',)

# How long to wait for a lock, at a time and at most, in seconds.
PAUSE, MOST_WAIT = 0.005, 1.0
_IS_LOCKED = '55P03'


def hold(connection: Connection, tables: Iterable[str]) -> None:
    """Lock tables as a select does, until the end of the transaction, which has not read yet.

    A lock of several tables that waited for one of them could end in a deadlock, which the other
    transaction loses. A table that cannot be locked, since it is gone, is left to the snapshot.

    :param tables: their names as SQL writes them
    :raises LogBrokenError: if another transaction has a table locked for long
    """
    statement = f'LOCK TABLE {", ".join(tables)} IN ACCESS SHARE MODE NOWAIT'
    end = time.monotonic() + MOST_WAIT
    while True:
        try:
            connection.exec_driver_sql(statement)
            return
        except DBAPIError as error:
            connection.rollback()
            if code_of(error) != _IS_LOCKED:
                return
            if time.monotonic() > end:
                reason = ' '.join(str(error.orig).split())
                raise LogBrokenError(
                    f'A followed table is locked, as by TRUNCATE or ALTER TABLE: {reason}.'
                ) from error
        time.sleep(PAUSE)
