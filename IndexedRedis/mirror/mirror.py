"""``Mirror``: what is mirrored, and by which rules; ``run()`` does it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime, timezone
from time import perf_counter
from typing import Any

from ..errors import FieldValueError, ResetLostError, TooManyChangesError, UsageError
from .attempt import Attempt, Counts, Progress
from .database import Snapshot, snapshot
from .layout import Layout
from .lock import only_run
from .order import in_order, target_of
from .problems import Rules, refuse
from .report import MirrorReport
from .rows import CircleError
from .source import Source

__all__ = ('Mirror',)

MODES = ('full', 'diff')
DANGLING = ('refuse', 'null', 'skip')
Options = Mapping[Any, Any]


class Mirror:
    """What is to be mirrored from a SQL database, and by which rules.

    A column feeds the field of its name; where no name is equal, upper and lower case do not count.
    A link field of a mirrored model takes the key of a row of the linked model, and is stored as a
    link to its object; a link to any other model takes a pk. NULL becomes null. A DATE becomes its
    midnight, a moment with a time zone the same in UTC.

    :param database: an ``Engine`` of SQLAlchemy, or a URL
    :param selects: for each model a select, a table, or SQL text
    :param columns: for each model ``{'column': 'field'}`` where names differ; ``None`` in place of
        a field leaves the column out
    :param keys: for each model the field, or the column, that tells its rows apart. Needed where
        links lead to the model, and for ``mode='diff'``; it is the primary key if the select is of
        one table of SQLAlchemy and this is a single column.
    :param defaults: for each model the names of fields that no column feeds
    :param mode: ``'full'`` replaces everything; ``'diff'`` writes what differs, and replaces
        everything where more than ``maxChanges`` objects do
    :param dangling: what to do about a link that leads to no row: ``'refuse'`` to mirror, store
        ``'null'``, or ``'skip'`` the row
    :param skipBad: leave rows out that do not fit, instead of refusing
    :param allowEmpty: whether selects may give nothing; or the models whose selects may
    :param maxDrop: by how many percent the number of objects may drop; None: any
    :raises UsageError: if these do not go together
    """

    def __init__(
        self,
        database: Any,
        selects: Options,
        columns: Options | None = None,
        keys: Options | None = None,
        defaults: Options | None = None,
        mode: str = 'full',
        dangling: str = 'refuse',
        skipBad: bool = False,
        allowEmpty: bool | Collection[Any] = False,
        maxDrop: float | None = 50,
        maxChanges: int = 1000,
    ) -> None:
        columns, keys, defaults = columns or {}, keys or {}, defaults or {}
        _check_choice('dangling', dangling, DANGLING)
        strangers = {*columns, *keys, *defaults} - {*selects}
        if strangers or not selects:
            names = ', '.join(sorted(getattr(each, '__name__', repr(each)) for each in strangers))
            raise UsageError(f'A mirror needs a select for each of its models. {names}'.rstrip())
        sources = [
            Source(model, each, columns.get(model, {}), keys.get(model), defaults.get(model, ()))
            for model, each in selects.items()
        ]
        _check_keys(sources)
        self._database, self._sources = database, in_order(sources)
        self._mode, self._most = self._checked_mode(mode), maxChanges
        self._rules = Rules(dangling, skipBad, allowEmpty, maxDrop)

    def _checked_mode(self, mode: str) -> str:
        _check_choice('mode', mode, MODES)
        if mode == 'diff':
            for source in self._sources:
                source.check_diff()
        return mode

    @property
    def models(self) -> list[Any]:
        """The mirrored models, in the order in which they are read."""
        return [source.model for source in self._sources]

    def run(
        self,
        dryRun: bool = False,
        progress: Progress | None = None,
        mode: str | None = None,
        skipBad: bool | None = None,
    ) -> MirrorReport:
        """Mirror. All models go live in one moment; after an error everything is as it was.

        :param dryRun: read, convert and judge, but write nothing
        :param progress: called as ``progress(model_name, rows_read, rows)`` after each thousand
            rows; ``rows`` is None if the database cannot count them
        :param mode: instead of that of the mirror
        :param skipBad: instead of that of the mirror
        :returns: what came of it
        :raises GuardRefusedError: if the rules forbid it; the message tells everything
        :raises MirrorRunningError: if another run of one of the models is under way
        """
        mode = self._mode if mode is None else self._checked_mode(mode)
        rules = self._rules if skipBad is None else self._rules._replace(skip_bad=skipBad)
        if dryRun:
            with snapshot(self._database) as taken:
                return _Run(self._sources, taken, rules, progress, self._most).rehearse(mode)
        with only_run(self.models), snapshot(self._database) as taken:
            return _Run(self._sources, taken, rules, progress, self._most).go(mode)


class _Run:
    """One run, in one transaction."""

    def __init__(
        self,
        sources: list[Source],
        taken: Snapshot,
        rules: Rules,
        progress: Progress | None,
        most: int,
    ) -> None:
        self._sources, self._taken, self._rules, self._most = sources, taken, rules, most
        self._begun = perf_counter()
        self._stamp = datetime.now(timezone.utc).isoformat(timespec='seconds')
        self._check_columns()
        self._stored = {source: source.model.objects.count() for source in sources}
        count = taken.count if progress else lambda statement: None
        self._totals = {source: count(source.statement) for source in sources}
        self._progress: Progress = progress or (lambda name, done, total: None)

    def _check_columns(self) -> None:
        """Refuse early, and tell of all models at once, where the database tells its columns."""
        problems: list[str] = []
        for source in self._sources:
            names = self._taken.names(source.statement)
            if names is not None:
                problems += Layout(source, names, self._sources).problems
        refuse(problems)

    def rehearse(self, mode: str) -> MirrorReport:
        attempt = self._attempt(diff=mode == 'diff', careful=True, circles=True)
        attempt.rehearse()
        counts = {source: (tally.made, 0, 0, 0) for source, tally in attempt.tallies.items()}
        return self._report(attempt, counts, mode, dry=True)

    def go(self, mode: str) -> MirrorReport:
        fallback = ''
        if mode == 'diff':
            try:
                return self._try_twice(diff=True)
            except (TooManyChangesError, ResetLostError, CircleError) as reason:
                # A select that takes long before its first row lets the locks of a diff run out.
                fallback = str(reason)
        return self._try_twice(diff=False, fallback=fallback)

    def _try_twice(self, diff: bool, fallback: str = '') -> MirrorReport:
        """Values without a stored form are found out late; then look for all of them."""
        try:
            return self._send(diff, False, fallback)
        except FieldValueError:
            return self._send(diff, True, fallback)

    def _send(self, diff: bool, careful: bool, fallback: str) -> MirrorReport:
        attempt = self._attempt(diff, careful, circles=not diff)
        counts = attempt.change(self._stamp, self._most) if diff else attempt.replace(self._stamp)
        return self._report(attempt, counts, 'diff' if diff else 'full', fallback=fallback)

    def _attempt(self, diff: bool, careful: bool, circles: bool) -> Attempt:
        return Attempt(
            self._taken,
            self._sources,
            self._stored,
            self._totals,
            self._rules,
            self._progress,
            diff,
            circles,
            careful,
        )

    def _report(
        self,
        attempt: Attempt,
        counts: Mapping[Source, Counts],
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
            attempt.report(counts),
            {phase: round(spent, 6) for phase, spent in seconds.items()},
            attempt.warnings(),
        )


def _check_choice(name: str, given: Any, choices: tuple[str, ...]) -> None:
    if given not in choices:
        known = ', '.join(map(repr, choices))
        raise UsageError(f'{name} is one of {known}, not {given!r}.')


def _check_keys(sources: list[Source]) -> None:
    for source in sources:
        for name in source.links.keys() - source.defaults:
            target = target_of(sources, source.links[name])
            if target is not None and target.key is None:
                raise UsageError(
                    f'{source.name}.{name} links to {target.name}, so keys={{{target.name}: ...}} '
                    'has to say by which field or column its rows are told apart.'
                )
