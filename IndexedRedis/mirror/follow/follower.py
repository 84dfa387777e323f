"""The follower: rounds that read the log, take a snapshot, and apply what it shows.

The rule: Redis moves from the state of one snapshot to that of a later one, in one script that
stores the later one's position too. The database may forget its log only after that.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

from ...errors import TooManyChangesError, UniqueError
from ..attempt import Input
from ..database import Snapshot, open_snapshot
from ..guards import Rules
from ..keys.uniques import of_another
from ..lock import MirrorLock
from ..report import logger
from ..rows import CircleError
from ..source import Source
from .batch import Batch, Clashing, Keys
from .dependents import keyed_sources
from .keyed import KeyedSource
from .log import ChangeLog, Commit, LogLostError, View
from .setup import Setup
from .stamp import FollowStatus, stored_stamp, with_status
from .traces import Rows, keys_in, reader_of

__all__ = ('Follower', 'Following')

# How long a round waits for a commit; then it stores that nothing has happened.
IDLE_SECONDS = 1.0
# How soon a stop is noticed.
STOP_SECONDS = 0.2
# How long to wait for a snapshot that shows a commit, at first.
SOON_SECONDS = 0.002


class Following(NamedTuple):
    """What is followed, and by which rules.

    :param most: how many objects one script changes
    :param load: replaces all data from a snapshot, and stores a time stamp with it; returns the
        rows that were left out for the unique value of another row
    :param changed: is called with the status when it begins to follow, after each round, and while
        it waits
    """

    setup: Setup
    rules: Rules
    most: int
    load: Callable[[Snapshot, MirrorLock, str], Clashing]
    changed: Callable[[FollowStatus], Any]


class Follower:
    """Follows one log, while it holds the locks of all models.

    :param what: what is followed
    :param log: an open log
    :param lock: the locks
    """

    def __init__(self, what: Following, log: ChangeLog, lock: MirrorLock) -> None:
        self._what, self._log, self._lock = what, log, lock
        self._setup, self._name = what.setup, what.setup.name
        self._keyed: Mapping[Source, KeyedSource] = {}
        #: what reads the values of each trace
        self._reads: list[Callable[[Rows], Rows]] = []
        #: the rows that are left out for the unique value of another row
        self._clashing: Clashing = {}
        self._view: View | None = None
        self._stamp, self._status = '', FollowStatus(name=what.setup.name)

    @property
    def status(self) -> FollowStatus:
        """How far the data follows the log."""
        return self._status

    def begin(self, resync: bool) -> None:
        """Go on where the stored data is; replace it if that is not possible.

        :param resync: whether to replace it anyway
        """
        stored = stored_stamp([source.model for source in self._setup.sources])
        if stored:
            self._stamp, self._status = stored
        try:
            if stored and not resync and self._status.name == self._name:
                self._view = self._log.at(self._status.position)
        except LogLostError as error:
            logger.warning('%s: %s', self._name, error)
        with open_snapshot(self._setup.engine) as snapshot:
            view = self._log.view(snapshot.connection)
            is_new = self._view is None
            if is_new:
                self._replace(snapshot, view)
                self._log.applied(view, ())
            self._learn_columns(snapshot)
            if not is_new and (self._status.skipBad or self._what.rules.skip_bad):
                self._learn_clashing(snapshot)

    def follow(self, stopped: Callable[[], bool]) -> None:
        """Apply commits until told to stop."""
        waiting: list[Commit] = []
        idle, pause = 0.0, STOP_SECONDS
        while not stopped():
            commits = self._fresh(self._log.read(pause))
            idle = 0.0 if commits else idle + pause
            if commits or waiting or idle >= IDLE_SECONDS:
                waiting, idle = self._round(waiting + commits), 0.0
            # A commit is in the log a moment before a snapshot shows it.
            longer = 2 * pause if pause < STOP_SECONDS else SOON_SECONDS
            pause = min(longer, STOP_SECONDS) if waiting else STOP_SECONDS

    def _fresh(self, commits: list[Commit]) -> list[Commit]:
        assert self._view is not None
        return [commit for commit in commits if not self._view.shows(commit)]

    def _round(self, waiting: list[Commit]) -> list[Commit]:
        """Apply what a new snapshot shows; return the commits that it does not show."""
        with open_snapshot(self._setup.engine) as snapshot:
            view = self._log.view(snapshot.connection)
            waiting = waiting + self._fresh(self._log.read_until(view))
            now = [commit for commit in waiting if view.shows(commit)]
            self._apply(snapshot, view, now)
        waiting = [commit for commit in waiting if not view.shows(commit)]
        self._log.applied(view, waiting)
        self._what.changed(self._status)
        return waiting

    def _apply(self, snapshot: Snapshot, view: View, commits: list[Commit]) -> None:
        status = self._counted(view, commits)
        self._lock.check()
        try:
            if whole := {name for commit in commits for name in commit.whole}:
                raise TooManyChangesError(
                    f'truncated, altered, or changed as a whole: {", ".join(sorted(whole))}'
                )
            keys = self._keys(snapshot, commits)
            batch = self._changed(snapshot, keys, status)
        except (TooManyChangesError, CircleError, UniqueError) as error:
            # Of two rows with one unique value, or of an object that no row has, only a load knows.
            reason = of_another(error) if isinstance(error, UniqueError) else str(error)
            logger.info('%s: all data is replaced: %s', self._name, reason)
            self._status = status
            self._replace(snapshot, view)
            self._learn_columns(snapshot)
            return
        self._note(view, status, batch)

    def _keys(self, snapshot: Snapshot, commits: list[Commit]) -> Keys:
        """Return the keys that commits lead to, by select."""
        keys: dict[Source, set[Any]] = {source: set() for source in self._setup.sources}
        for (table, trace), read in zip(self._setup.traces, self._reads, strict=True):
            places = [self._setup.columns[table].index(name) for name in trace.columns]
            touched = {
                tuple(values[place] for place in places)
                for commit in commits
                for values in commit.touched.get(table, ())
            }
            if touched:
                keys[trace.source] |= keys_in(snapshot.connection, trace, read(touched))
        return keys

    def _changed(self, snapshot: Snapshot, keys: Keys, status: FollowStatus) -> Batch:
        given = Input(
            snapshot,
            self._setup.sources,
            {},
            {},
            self._what.rules,
            lambda name, done, total: None,
            self._lock,
        )
        stamp = with_status(status)

        def change() -> Batch:
            batch = Batch(given, self._keyed, keys, self._stamp, self._clashing)
            batch.change(stamp, self._what.most)
            return batch

        batch = snapshot.carefully(change)
        self._stamp = stamp
        return batch

    def _note(self, view: View, status: FollowStatus, batch: Batch) -> None:
        self._view, self._status, self._clashing = view, status, batch.clashing()
        for counts in batch.counts.values():
            status.leftOut += counts.bad + counts.skipped
            for text in counts.warnings():
                # Without the examples, which quote rows.
                logger.warning('%s: %s', self._name, text.partition('\n')[0].rstrip(':'))

    def _counted(self, view: View, commits: list[Commit]) -> FollowStatus:
        """Return the status with some more commits."""
        old = self._status
        now = datetime.now(UTC).isoformat(timespec='milliseconds')
        last = max((commit.at for commit in commits), default=None)
        return FollowStatus(
            name=self._name,
            position=view.position,
            mirrored=max(now, old.mirrored),
            lastCommit=last.isoformat() if last else old.lastCommit,
            commits=old.commits + len(commits),
            rows=old.rows + sum(commit.changes for commit in commits),
            swaps=old.swaps,
            leftOut=old.leftOut,
            skipBad=old.skipBad or self._what.rules.skip_bad,
            lagBytes=old.lagBytes if commits else self._log.lag(),
        )

    def _replace(self, snapshot: Snapshot, view: View) -> None:
        """Replace all data from a snapshot."""
        status = self._counted(view, [])
        status.swaps += 1
        status.skipBad = self._what.rules.skip_bad
        self._stamp = with_status(status)
        self._clashing = self._what.load(snapshot, self._lock, self._stamp)
        self._view, self._status = view, status

    def _learn_columns(self, snapshot: Snapshot) -> None:
        self._keyed = keyed_sources(self._setup.sources, snapshot, self._what.rules)
        self._reads = [
            reader_of(snapshot.connection, trace.read_as) for _, trace in self._setup.traces
        ]

    def _learn_clashing(self, snapshot: Snapshot) -> None:
        """Find rows that may be left out for the unique value of another row: any that are not
        stored."""
        clashing = {}
        for source in self._setup.sources:
            if source.model._validated().uniques:
                keys = self._keyed[source].all_keys(snapshot)
                pks = self._pks_of(source, keys)
                unstored = (key for key, pk in zip(keys, pks, strict=True) if pk is None)
                clashing[source.name] = dict.fromkeys(unstored)
        self._clashing = clashing

    def _pks_of(self, source: Source, keys: Sequence[Any]) -> list[int | None]:
        return self._keyed[source].pks(keys, self._pks_of)
