"""What a mirror offers for following its database.

The rule: a program that does not follow imports nothing else of this folder.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from threading import Event
from typing import TYPE_CHECKING, Any

from ...errors import UsageError
from ...managers.manager import send
from ..lock import lock_name
from ..report import until
from ..workers.needs import refuse_following

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from sqlalchemy import URL, Engine

    from ..attempt import Progress
    from ..database import Snapshot
    from ..guards import Rules
    from ..lock import MirrorLock
    from ..source import Source
    from .batch import Clashing
    from .setup import Setup
    from .stamp import FollowStatus

__all__ = ('Followed',)


class Followed:
    """The part of :class:`~..mirror.Mirror` that follows the log of a database."""

    _database: Engine | URL
    _sources: list[Source]
    _rules: Rules
    _most: int
    _follow: Mapping[Any, Any]
    _name: str
    _workers: int

    def follow(
        self,
        stop: Event | None = None,
        changed: Callable[[FollowStatus], Any] | None = None,
        resync: bool = False,
        prepare: bool = False,
        progress: Progress | None = None,
        slotLimit: int | None = None,
    ) -> None:
        """Replace the data, then apply each commit of the database as it happens, until stopped.

        Commits go live whole and in order, once, with the position in the log in the same script.
        A later call, in any process, goes on where this one ended. While another one follows these
        models, this one waits, and takes over when that one ends. What may work again, such as a
        broken connection, is tried again; needs the extra ``postgres-follow`` or ``mysql-follow``.

        :param stop: set it to end the call, within some tenths of a second. In a signal
            handler use ``Thread(target=stop.set).start()``: the code that the signal interrupts may
            hold the lock that ``set()`` needs, and both would wait for ever
        :param changed: called with the :class:`FollowStatus` once the data is followed, then after
            commits were applied, at least about once a second, and while the call waits
        :param resync: replace all data first, instead of going on
        :param prepare: make what the database needs for it: see :meth:`prepare`
        :param progress: as of :meth:`run`, while all data is replaced
        :param slotLimit: how many bytes of its log PostgreSQL may keep for the mirror. If it keeps
            more, the slot is dropped, which frees the disk; then a new one is made, and all data is
            replaced. It protects the disk while this call runs, also while Redis is away. None: no
            limit but that of PostgreSQL, ``max_slot_wal_keep_size``.
        :raises UsageError: if the mirror cannot be followed, or the database is not prepared
        :raises GuardRefusedError: if a rule refuses a row; what was applied before stays
        :raises MirrorError: if the limit is below what one load takes; the slot is dropped
        """
        from .loop import Following, How, follow

        refuse_following(self._workers, self._sources)
        stop = stop or Event()
        until_stop = until(stop, progress)

        def load(snapshot: Snapshot, lock: MirrorLock, stamp: str) -> Clashing:
            return self._load(snapshot, lock, stamp, until_stop)

        with self._setup() as setup:
            what = Following(setup, self._rules, self._most, load, changed or _nothing)
            follow(what, stop, How(resync, prepare, slotLimit))

    async def afollow(
        self,
        changed: Callable[[FollowStatus], Any] | None = None,
        resync: bool = False,
        prepare: bool = False,
        progress: Progress | None = None,
        slotLimit: int | None = None,
    ) -> None:
        """Follow in a thread, as :meth:`follow`, until the task is cancelled."""
        stop = Event()
        work = asyncio.create_task(
            asyncio.to_thread(self.follow, stop, changed, resync, prepare, progress, slotLimit)
        )
        try:
            await asyncio.shield(work)
        finally:
            stop.set()
            await work

    def prepare(self, dryRun: bool = False) -> list[str]:
        """Make what the database needs for :meth:`follow`, such as a replication slot.

        What could be better is logged, such as a disk that the database's log may fill.

        :param dryRun: make nothing
        :returns: the SQL statements that were, or would be, carried out
        :raises UsageError: if a setting or a right is missing, with all of them
        """
        with self._setup() as setup:
            plan = setup.plan()
            setup.warn(plan)
            if not dryRun:
                setup.prepare(plan)
            elif plan.problems:
                raise UsageError('\n'.join(plan.problems))
            return plan.statements

    def unfollow(self) -> list[str]:
        """Remove what :meth:`prepare` made, such as the slot, for which the database keeps its log.

        :returns: the SQL statements that were carried out
        :raises MirrorError: if a process follows, or the role may not remove something
        """
        from .setup import drop

        return drop(self._database, self._sources, self._name)

    def status(self) -> FollowStatus | None:
        """Return how far the data follows the database; None if it does not.

        Its ``waits`` says whether no process follows at the moment.

        Redis: ``MGET`` and ``EXISTS``.
        """
        from .stamp import stored_stamp

        stored = stored_stamp([source.model for source in self._sources])
        if not stored:
            return None
        model = self._sources[0].model
        if not send(model, 'EXISTS', lock_name(model)):
            stored[1].waits = 'no process follows'
        return stored[1]

    def _setup(self) -> AbstractContextManager[Setup]:
        from .setup import open_setup

        return open_setup(self._database, self._sources, self._follow, self._name)

    def _load(
        self, snapshot: Snapshot, lock: MirrorLock, stamp: str, progress: Progress | None
    ) -> Clashing:
        """Replace all data from a snapshot.

        :param stamp: the time stamp to store with it
        :returns: the rows that were left out for the unique value of another row
        """
        raise NotImplementedError


def _nothing(status: FollowStatus) -> None:
    """Take a status."""
