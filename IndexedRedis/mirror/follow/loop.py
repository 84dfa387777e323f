"""Follow until told to stop, whatever breaks meanwhile.

The rule: what may work again is tried again; what a person has to decide is raised.
"""

from __future__ import annotations

from contextlib import closing, suppress
from dataclasses import replace
from threading import Event
from time import monotonic
from typing import NamedTuple

import redis
from sqlalchemy.exc import DBAPIError, OperationalError, PendingRollbackError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from ...errors import (
    MirrorError,
    MirrorRunningError,
    NotAcknowledgedError,
    ResetInProgressError,
    ResetLostError,
    UsageError,
)
from ..drivers.driver import code_of
from ..lock import only_run
from ..report import StoppedError, logger
from .follower import Follower, Following
from .log import ChangeLog, LogBrokenError, LogLostError
from .stamp import FollowStatus, stored_stamp

__all__ = ('Following', 'How', 'follow')

# How long the locks of a killed follower keep others waiting.
FOLLOWER_LOCK_SECONDS = 10.0
# How long to wait before another try: the first time, and at most.
FIRST_PAUSE, LONGEST_PAUSE = 0.1, 5.0
# How often a follower asks how much of its log the database keeps, if there is a limit.
WATCH_SECONDS = 1.0

# What may work again: a connection broke, or another follower, or a reset, is at work.
# Or a pool of connections, which the program shares, has none left.
_BROKEN = (LogBrokenError, LogLostError, DBAPIError, PendingRollbackError, PoolTimeoutError)
_REDIS = (redis.ConnectionError, redis.TimeoutError, ResetLostError, ResetInProgressError)
# What a statement may say of a server that ends or begins, or whose connection broke: classes of
# PostgreSQL's codes (25P03: the transaction was idle for too long), and numbers of MariaDB, those
# from 2000 on by drivers. The first three ask to try again: a lock was waited for, two waited for
# each other, or a table was altered after the snapshot.
_NUMBERS = frozenset({1205, 1213, 1412, 1040, 1053, *range(2000, 3000)})
_CLASSES = ('08', '25P03', '40', '53', '57')
_UNSURE = (NotAcknowledgedError,)  # the data is there, but too few replicas have it yet


class How(NamedTuple):
    """How to follow.

    :param resync: whether to replace all data first
    :param prepare: whether to make what is missing in the database
    :param limit: how many bytes of its log the database may keep for the mirror; None: any number
    """

    resync: bool
    prepare: bool
    limit: int | None = None


def follow(what: Following, stop: Event, how: How) -> None:
    """Follow the log of a database until ``stop`` is set.

    Another follower of these models makes it wait, and take over when that one ends. An error at
    the start is raised; once the log is open, what may work again is tried again.

    :raises UsageError: if something is missing in the database
    :raises GuardRefusedError: if a rule refuses a row
    :raises MirrorError: if the database keeps too much of its log after a load
    """
    session = _Session(what, stop, how)
    pause = FIRST_PAUSE
    while not stop.is_set():
        try:
            session.run()
        except StoppedError:
            return
        except MirrorRunningError:
            session.tell('waits, as another mirror of these models runs')
            # What the other one leaves when it ends, such as a slot in use, may take a while to go.
            session.begun, pause = True, FIRST_PAUSE
        except (*_BROKEN, *_REDIS, *_UNSURE) as error:
            session.protect()
            if not session.begun or _is_final(error):
                raise
            session.tell(f'tries again after {type(error).__name__}: {_first_line(error)}')
            pause = FIRST_PAUSE if session.fresh else min(2 * pause, LONGEST_PAUSE)
        else:
            return
        stop.wait(pause)


class _Session:
    """What the tries to follow have in common."""

    def __init__(self, what: Following, stop: Event, how: How) -> None:
        self._what, self._setup, self._stop = what, what.setup, stop
        #: whether to make what is missing in the database: what was made once may be made again,
        #: such as a slot that was dropped
        self._resync, self._may_make, self._limit = how
        self._models = [source.model for source in what.setup.sources]
        self._told, self._status = '', FollowStatus(name=what.setup.name)
        #: when to look next at what the database keeps; whether the log was dropped, and no
        #: follower has been within the limit since; whether all data was replaced since
        self._watch_at, self._is_dropped, self._is_loaded = 0.0, False, False
        #: whether any try had the log open, or waited; whether the last one followed
        self.begun = self.fresh = False

    def run(self) -> None:
        """Follow until told to stop, or until something breaks."""
        self.fresh = False
        with only_run(self._models, FOLLOWER_LOCK_SECONDS) as lock, closing(self._open()) as log:
            self.begun = self._may_make = True
            follower = Follower(self._what, log, lock)
            follower.begin(self._resync)
            self._is_loaded, self._watch_at = self._is_dropped, 0.0
            self._resync, self._told, self.fresh = False, '', True
            self._what.changed(follower.status)
            try:
                follower.follow(self._is_over)
            finally:
                self._status = follower.status

    def _open(self) -> ChangeLog:
        self._drop_large(is_alone=True)
        plan, stored = self._setup.plan(), stored_stamp(self._models)
        if not self.begun:
            self._setup.warn(plan)
        if plan.statements and not self._may_make and stored is None:
            statements = ''.join(f'\n  {each};' for each in plan.statements)
            raise UsageError(
                f'{self._setup.name}: the database is not prepared. Add --prepare (in a program: '
                f'prepare=True), or run:{statements}'
            )
        self._setup.prepare(plan)
        # Without data it may be a follower of another Redis, by mistake under the same name.
        if stored is not None:
            self._setup.release()
        return self._setup.logs.open(self._setup.engine, self._setup.name, self._setup.columns)

    def _is_over(self) -> bool:
        """Return whether to stop.

        :raises LogLostError: if the database keeps too much of its log
        """
        if self._limit is not None and monotonic() >= self._watch_at:
            self._watch_at = monotonic() + WATCH_SECONDS
            kept = self._setup.kept()
            if kept > self._limit:
                raise LogLostError(self._too_much(kept))
            self._is_dropped = self._is_loaded = False
        return self._stop.is_set()

    def _drop_large(self, is_alone: bool) -> None:
        """Have the database forget a log that is above the limit.

        :param is_alone: whether nobody else may follow it; else a connected reader keeps it
        :raises MirrorError: if that does not help
        """
        if self._limit is None or (kept := self._setup.kept()) <= self._limit:
            return
        if is_alone:
            self._setup.release()
        if not self._setup.forget():
            return
        text = f'{self._setup.name}: {self._too_much(kept)}'
        if self._is_loaded:
            raise MirrorError(
                f'{text} again, after all data was replaced. The slot was dropped. Set a limit '
                'above what the log grows by during a load.'
            )
        logger.warning('%s. The slot was dropped; all data is going to be replaced', text)
        self._is_dropped = self._may_make = True

    def protect(self) -> None:
        """Have the database forget a log that is above the limit, while nobody can follow it."""
        with suppress(SQLAlchemyError):  # the next try meets the same error, and raises or logs it
            self._drop_large(is_alone=False)

    def _too_much(self, kept: int) -> str:
        return (
            f'The database keeps {kept:,} bytes of its log for the mirror, more than slotLimit '
            f'({self._limit:,})'
        )

    def tell(self, text: str) -> None:
        """Tell why it does not follow; log the same reason once."""
        if text != self._told:
            logger.warning('%s: %s', self._setup.name, text)
        self._told = text
        self._what.changed(replace(self._status, waits=text))


def _is_final(error: Exception) -> bool:
    """Return whether a statement failed on a connection that works, and would fail again."""
    if not isinstance(error, DBAPIError) or error.connection_invalidated or not error.statement:
        return False
    number = error.orig.args[0] if error.orig is not None and error.orig.args else None
    code = code_of(error)
    if isinstance(number, int):
        return number not in _NUMBERS
    if code is not None:
        return not code.startswith(_CLASSES)
    return not isinstance(error, OperationalError)  # without a code, it could not connect


def _first_line(error: Exception) -> str:
    """Return the beginning of a message, which may quote SQL further on."""
    return (str(getattr(error, 'orig', None) or error).splitlines() or [''])[0]
