"""``Mirror``: which selects feed which models, and by which rules; ``run()`` carries it out."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from time import perf_counter
from typing import TYPE_CHECKING, Any

from ..errors import ConflictError, TooManyChangesError, UniqueError
from .attempt import Attempt, Input, Outcome, Progress
from .database import Snapshot, checked_database, open_snapshot, quoting_of
from .definition import (
    Options,
    all_at_once,
    check_choice,
    check_diff,
    check_name,
    sources_of,
)
from .follow.api import Followed
from .follow.stamp import with_words
from .guards import Rules, refuse
from .keys.joins import joins_of
from .keys.others import links_at_risk
from .keys.uniques import of_another
from .layout import Layout
from .lock import MirrorLock, only_run
from .recurring.checks import check_watermarks
from .recurring.every import Repeated
from .recurring.marks import FullRunError, clock_of
from .report import MirrorReport, logged
from .rows import CircleError
from .source import Source
from .workers.needs import check_workers

if TYPE_CHECKING:
    from .follow.batch import Clashing
    from .workers.parallel import Workers

__all__ = ('Mirror',)

MODES = ('full', 'diff', 'changed')
DANGLING = ('refuse', 'null', 'skip')
ZERO_DATES = ('refuse', 'null')
# A stored time stamp further in the future comes from a wrong clock, and is replaced.
MAX_CLOCK_SKEW = timedelta(hours=1)


class Mirror(Followed, Repeated):
    """A mirror of SQL selects in models, and the rules of its runs.

    A column feeds the field of its name; if no name is equal, upper and lower case do not matter. A
    link field takes the key of a row of the linked model, and is stored as a link to the object of
    that row; a multi link takes an array of such keys. If the linked model is not mirrored, the
    link field takes a pk. NULL becomes null, a
    DATE its midnight, and a moment with a time zone the same moment in UTC.

    :param database: an ``Engine`` of SQLAlchemy, or a URL
    :param selects: for each model a select, a table, or SQL text
    :param columns: for each model ``{'column': 'field'}`` where names differ; ``None`` in place of
        a field leaves the column out. ``{('column', 'column'): 'field'}`` feeds a link to a model
        with a composite key.
    :param keys: for each model the field, or the column, that identifies its rows; a tuple of them
        for a composite key. Needed for models that links lead to, and for ``mode='diff'``. The
        default is the primary key, if the select is of one SQLAlchemy table.
    :param defaults: for each model the names of fields that no column feeds
    :param epochs: for each model the names of datetime fields that columns of numbers may feed:
        seconds since 1970 in UTC. Other fields of datetimes refuse numbers.
    :param mode: ``'full'`` replaces everything. ``'diff'`` writes what differs, and replaces
        everything if more than ``maxChanges`` objects differ. ``'changed'`` reads only rows that
        changed since the last run, as ``changed`` tells, and replaces everything where that is not
        safe: :doc:`/howto/every` says when.
    :param dangling: what happens to a link that leads to no row: ``'refuse'`` refuses the run,
        ``'null'`` stores null, ``'skip'`` skips the row
    :param skipBad: whether to leave out rows that do not fit, instead of refusing the run
    :param allowEmpty: whether selects may give no rows; or the models whose selects may
    :param maxDrop: the largest accepted drop of the number of objects, in percent; None: any
    :param maxChanges: the number of objects that ``mode='diff'`` changes in one swap
    :param links: for each multi link that a join table feeds, such as ``(Product, 'categories')``,
        a select of the key of the row and the key of its target
    :param foldKeys: whether keys that differ in upper and lower case, or in spaces at the end, are
        equal; or the models whose keys are
    :param keepPks: whether each row keeps the pk of the stored object with its key; or the models
        whose rows do. Then links of models that are not mirrored stay right.
    :param zeroDates: what becomes of MySQL's date ``0000-00-00`` in a field of dates or datetimes:
        ``'refuse'`` refuses the row, ``'null'`` stores null
    :param follow: for :meth:`follow`, for each model pairs of a table that its select reads, and
        the columns of that table that hold the key of the row; or a select of keys with parameters
        named as columns, such as ``'SELECT id FROM track WHERE album_id = :id'``. Models that are
        not named need a select of SQLAlchemy whose tables are joined by equal columns.
    :param name: for :meth:`follow`, the name of what the database keeps for it: up to 40 small
        letters, digits and underscores. The default is made of the models' names; two mirrors of
        the same models in two servers of Redis need a name each.
    :param changed: for ``mode='changed'``, for each model the column of its select that grows with
        each change of a row: a moment, or a number that no earlier change had, such as
        ``{Order: 'updated_at'}``. The other models are read as a whole.
    :param overlap: by how much a run reads on before the highest value that the last one saw, for
        rows that are committed later than their value says: a ``timedelta``, or a number, of
        seconds for moments; or for some models another, such as ``{Order: 1000}``. The default is
        five minutes; numbers have none.
    :param deleted: for each model the column that is not null in rows that count as deleted, such
        as ``{Order: 'deleted_at'}``. Such rows are left out, in each mode.
    :param compareKeys: ``mode='changed'`` compares all keys with the stored ones in every so
        manieth run; and whenever the number of rows says that rows went.
    :param workers: how many processes read, convert and stage the rows, of models that have
        ``PARTITIONS``: :ref:`mirror-workers` says what they need. Only ``mode='full'`` has them.
    :raises UsageError: if the parameters contradict each other, with all contradictions
    :raises InvalidModelException: if the definition of a model is wrong
    """

    def __init__(
        self,
        database: Any,
        selects: Mapping[Any, Any],
        columns: Mapping[Any, Any] | None = None,
        keys: Mapping[Any, Any] | None = None,
        defaults: Mapping[Any, Any] | None = None,
        mode: str = 'full',
        dangling: str = 'refuse',
        skipBad: bool = False,
        allowEmpty: bool | Collection[Any] = False,
        maxDrop: float | None = 50,
        maxChanges: int = 1000,
        epochs: Mapping[Any, Any] | None = None,
        links: Mapping[Any, Any] | None = None,
        foldKeys: bool | Collection[Any] = False,
        keepPks: bool | Collection[Any] = False,
        zeroDates: str = 'refuse',
        follow: Mapping[Any, Any] | None = None,
        name: str = '',
        changed: Mapping[Any, str] | None = None,
        overlap: Any = None,
        deleted: Mapping[Any, str] | None = None,
        compareKeys: int = 12,
        workers: int = 1,
    ) -> None:
        options = Options(
            columns, keys, defaults, epochs, links, foldKeys, keepPks, changed, deleted, overlap
        )
        quoted: Callable[[str], str] = str
        with all_at_once() as problems:
            with problems.next():
                check_choice('dangling', dangling, DANGLING)
            with problems.next():
                check_choice('mode', mode, MODES)
            with problems.next():
                check_choice('zeroDates', zeroDates, ZERO_DATES)
            with problems.next():
                self._database = checked_database(database)
                quoted = quoting_of(self._database)
            with problems.next():
                check_name(name)
            self._sources = sources_of(selects, options, mode, problems, quoted)
            with problems.next():
                check_workers(workers, mode, self._sources)
        self._mode, self._most, self._workers = mode, maxChanges, workers
        self._follow, self._name, self._compare_each = follow or {}, name, max(1, compareKeys)
        self._rules = Rules(dangling, skipBad, allowEmpty, maxDrop, keepPks, zeroDates)

    @classmethod
    def of(cls, models: Mapping[Any, Any], using: str = 'default', **options: Any) -> Mirror:
        """Return a mirror of models of Django: :doc:`/frameworks/django` shows one.

        A field of Django feeds the field of its name, a foreign key a link, and a many-to-many
        field a multi link. The other fields of Django are left out. The primary key is the key.

        :param models: for each model the model of Django that it mirrors, or anything that
            ``selects`` of a mirror may have
        :param using: the name of the database in the ``DATABASES`` of the settings
        :param options: the other arguments of a mirror, such as ``mode='diff'``; what they say of
            ``columns``, ``keys`` and ``links`` comes first
        :raises UsageError: if a model cannot be mirrored like that; as :class:`Mirror`
        """
        from .of_django import arguments_of

        return cls(**arguments_of(models, using, options))

    def _checked_mode(self, mode: str) -> str:
        check_choice('mode', mode, MODES)
        if mode == 'diff':
            check_diff(self._sources)
        if mode == 'changed':
            check_watermarks(self._sources)
        return mode

    @property
    def models(self) -> list[Any]:
        """The mirrored models, in the order in which a run reads them."""
        return [source.model for source in self._sources]

    def run(
        self,
        dryRun: bool = False,
        progress: Progress | None = None,
        mode: str | None = None,
        skipBad: bool | None = None,
        workers: int | None = None,
    ) -> MirrorReport:
        """Mirror. The data of all models goes live in one swap; an error changes nothing.

        :param dryRun: read, convert and apply the rules, but write nothing
        :param progress: called as ``progress(model_name, rows_read, rows)`` after each thousand
            rows; ``rows`` is None if the database cannot count them
        :param mode: overrides the mode of the mirror
        :param skipBad: overrides the rule of the mirror
        :param workers: overrides the number of processes of the mirror. A dry run has one.
        :returns: the report
        :raises GuardRefusedError: if a rule refuses the data; the message lists all reasons
        :raises MirrorRunningError: if another run of one of the models is under way
        :raises ResetLostError: if the run lost its lock, and another run could begin
        :raises MirrorError: if the driver cannot read a value, or a worker failed or ended
        """
        mode = self._mode if mode is None else self._checked_mode(mode)
        rules = self._rules if skipBad is None else self._rules._replace(skip_bad=skipBad)
        team = self._team(self._workers if workers is None else workers, mode)
        with logged(self.models) as done:
            if dryRun:
                with open_snapshot(self._database) as snapshot:
                    return done(_Run(self._sources, snapshot, rules, progress).rehearse(mode))
            with only_run(self.models) as lock, open_snapshot(self._database) as snapshot:
                run = _Run(self._sources, snapshot, rules, progress, lock, self._most, team=team)
                return done(run.go(mode, self._compare_each))

    def _team(self, workers: int, mode: str) -> Workers | None:
        check_workers(workers, mode, self._sources)
        if workers == 1:
            return None
        from .workers.checks import workers_of  # a run of one process needs none of it

        return workers_of(self, workers)

    def _load(
        self, snapshot: Snapshot, lock: MirrorLock, stamp: str, progress: Progress | None
    ) -> Clashing:
        run = _Run(self._sources, snapshot, self._rules, progress, lock, self._most, stamp)
        with logged(self.models) as done:
            done(run.go('full'))
        return run.clashing


class _Run:
    """One run, in one transaction.

    :param stamp: the time stamp to store with the data; empty: the moment at which it begins
    :param team: the workers that a full run has; None: this process does everything
    """

    def __init__(
        self,
        sources: list[Source],
        snapshot: Snapshot,
        rules: Rules,
        progress: Progress | None,
        lock: MirrorLock | None = None,
        most: int = 0,
        stamp: str = '',
        team: Workers | None = None,
    ) -> None:
        self._given_stamp, self._team = stamp, team
        marked = any(source.watermark for source in sources)
        self._clock = clock_of(snapshot.connection) if marked else None
        #: the rows that were left out for the unique value of another row
        self.clashing: Clashing = {}
        self._begun, self._stamp, self._most = perf_counter(), _new_stamp(sources), most
        stored = {source: source.model.objects.count() for source in sources}
        refuse([*_column_problems(sources, snapshot), *links_at_risk(stored, rules.keep_pks)])
        count = snapshot.count if progress and not team else lambda statement: None
        self._input = Input(
            snapshot,
            sources,
            stored,
            {source: count(source.statement) for source in sources},
            rules,
            progress or (lambda name, done, total: None),
            lock,
        )

    def rehearse(self, mode: str) -> MirrorReport:
        return self._input.snapshot.carefully(lambda: self._rehearse(mode))

    def go(self, mode: str, compare_each: int = 1) -> MirrorReport:
        """Run.

        :param compare_each: as of :class:`~.recurring.changes.ChangedBatch`
        """
        return self._input.snapshot.carefully(lambda: self._go(mode, compare_each))

    def _rehearse(self, mode: str) -> MirrorReport:
        attempt = Attempt(self._input, diff=mode == 'diff', circles=True)
        attempt.rehearse()
        outcomes = {source: (counts.made, 0, 0, 0) for source, counts in attempt.counts.items()}
        return self._report(attempt, outcomes, mode, dry=True)

    def _go(self, mode: str, compare_each: int) -> MirrorReport:
        if mode == 'full':
            return self._once('full')
        try:
            return self._changed(compare_each) if mode == 'changed' else self._once('diff')
        except TooManyChangesError:
            return self._once('full', f'more than {self._most} objects differ (maxChanges)')
        except (CircleError, ConflictError, FullRunError) as reason:
            return self._once('full', str(reason))
        except UniqueError as error:
            return self._once('full', of_another(error))

    def _once(self, mode: str, fallback: str = '') -> MirrorReport:
        attempt = self._attempt(mode)
        stamp, most = self._given_stamp or self._stamp_of_all(), self._most
        outcomes = attempt.change(stamp, most) if mode == 'diff' else attempt.replace(stamp)
        self.clashing = {each.name: counts.clashing for each, counts in attempt.counts.items()}
        return self._report(attempt, outcomes, mode, fallback)

    def _attempt(self, mode: str) -> Attempt:
        if self._team is None:
            return Attempt(self._input, mode == 'diff', mode == 'full')
        from .workers.parallel import Parallel

        return Parallel(self._input, self._team)

    def _stamp_of_all(self) -> str:
        """Return the stamp of data of which all rows are read."""
        if self._clock is None:
            return self._stamp
        from .recurring.words import words_of_all

        given = self._input
        words = words_of_all(given.sources, given.rules, given.snapshot, self._clock)
        return with_words(self._stamp, words.as_dict())

    def _changed(self, compare_each: int) -> MirrorReport:
        from .recurring.changes import ChangedBatch

        assert self._clock is not None
        batch = ChangedBatch(self._input, self._clock, compare_each)
        outcomes = batch.change(with_words(self._stamp, batch.words.as_dict()), self._most)
        return self._report(batch, outcomes, 'changed')

    def _report(
        self,
        attempt: Attempt,
        outcomes: Mapping[Source, Outcome],
        mode: str,
        fallback: str = '',
        dry: bool = False,
    ) -> MirrorReport:
        seconds = {**attempt.seconds, 'all': perf_counter() - self._begun}
        return MirrorReport(
            mode,
            self._stamp,
            dry,
            fallback,
            attempt.report(outcomes),
            {phase: round(spent, 6) for phase, spent in seconds.items()},
            [text for counts in attempt.counts.values() for text in counts.warnings()],
        )


def _new_stamp(sources: list[Source]) -> str:
    """Return when reading begins; never before the stored stamp, whatever clock wrote that."""
    now = datetime.now(UTC).replace(microsecond=0)
    stored = [at for source in sources if (at := _stored_stamp(source.model))]
    return max([now, *(at for at in stored if at < now + MAX_CLOCK_SKEW)]).isoformat()


def _stored_stamp(model: Any) -> datetime | None:
    """Return the stamp of the stored data; None if it has none with a time zone."""
    with suppress(ValueError):  # resetMany() stores any text
        stamp: datetime | None = model.objects.mirroredAt()
        return stamp if stamp and stamp.tzinfo else None
    return None


def _column_problems(sources: list[Source], snapshot: Snapshot) -> Iterator[str]:
    """Yield what is wrong with the columns of all selects, where the database names columns."""
    for source in sources:
        columns = snapshot.column_names(source.statement)
        if columns is not None:
            yield from Layout(source, columns, sources).problems
        for join in joins_of(source, sources).values():
            columns = snapshot.column_names(join.statement)
            if columns is not None:
                yield from join.problems(columns)
