"""Watermarks: how far the rows of a select were read, and from where a run reads on.

The rule: a row whose change a run does not see yet gets a watermark that is below the highest one
of that run, or below the clock of the database then, by the overlap at most. So the mark moves on
with that clock, and never beyond it.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterable
from decimal import Decimal
from math import ceil, isfinite
from typing import Any, NamedTuple

from sqlalchemy import func, select

from ...errors import MirrorError, UsageError
from ..conversions import is_zero_date

__all__ = ('Clock', 'FullRunError', 'Mark', 'clock_of', 'marked')

# How long before the highest watermark a run reads on, if the mirror does not say.
DEFAULT_OVERLAP = datetime.timedelta(minutes=5)
# Moments of PostgreSQL that drivers give as text.
_INFINITIES = ('infinity', '-infinity')
ZERO = datetime.timedelta()
Number = int | float | Decimal


class Kind(NamedTuple):
    """A type of watermarks, and their texts."""

    type: type
    to_text: Callable[[Any], str]
    from_text: Callable[[str], Any]


KINDS = {
    'moment': Kind(
        datetime.datetime,
        lambda value: value.astimezone(datetime.UTC).isoformat(),
        datetime.datetime.fromisoformat,
    ),
    'local': Kind(datetime.datetime, datetime.datetime.isoformat, datetime.datetime.fromisoformat),
    'date': Kind(datetime.date, datetime.date.isoformat, datetime.date.fromisoformat),
    'int': Kind(int, str, int),
    'decimal': Kind(Decimal, str, Decimal),
    'float': Kind(float, repr, float),
}
TIMES = ('moment', 'local', 'date')


class FullRunError(Exception):
    """Only a full run is right; the text says why."""


class Clock(NamedTuple):
    """The time when a run begins, by the clock of the database: in the time zone of the connection,
    and in UTC; and by that of this computer, in UTC. All have no time zone.
    """

    local: datetime.datetime
    utc: datetime.datetime
    ours: datetime.datetime

    @property
    def ahead(self) -> float:
        """How far the clock of the database, with its time zone, is ahead of ours, in seconds."""
        return (self.local - self.ours).total_seconds()

    def latest(self, kind: str) -> Any:
        """Return a watermark that no row which changes later is below, for moments.

        A moment without a time zone is one of UTC, or of the time zone of the connection; so it is
        the earlier one.
        """
        if kind == 'moment':
            return self.utc.replace(tzinfo=datetime.UTC)
        earlier = min(self.local, self.utc)
        return earlier.date() if kind == 'date' else earlier


class Mark(NamedTuple):
    """How far a select was read: its highest watermark, moved on with the clock of the database.

    ``at`` and ``ahead`` are of the clock then. ``kind`` is empty while no row has a watermark.
    ``stored`` is how many objects there are then, if no row is left out, and ``left`` how many rows
    there are more; None if that is unknown.
    """

    kind: str = ''
    value: Any = None
    at: Any = None
    ahead: float = 0
    left: int | None = None
    stored: int | None = None

    @classmethod
    def of_texts(cls, kind: str, text: str, at: str, ahead: float, *numbers: int | None) -> Mark:
        """Return a mark as it was stored."""
        value = KINDS[kind].from_text(text) if kind else None
        return cls(kind, value, KINDS[kind].from_text(at) if at else None, ahead, *numbers)

    def texts(self) -> list[Any]:
        """Return what is stored of it."""
        texts = ['' if each is None else KINDS[self.kind].to_text(each) for each in self[1:3]]
        return [self.kind, *texts, *self[3:]]

    def low(self, overlap: Any, clock: Clock) -> Any:
        """Return the watermark from which a run reads on; None: it reads all rows.

        :param overlap: as the mirror says it, or None
        """
        if not self.kind:
            return None
        if self.kind not in TIMES:
            return self.value - type(self.value)(ceil(overlap))
        back = datetime.timedelta(seconds=max(0.0, self.ahead - clock.ahead))
        before = seconds_of(overlap) + back
        if self.kind == 'date':  # rows that change later on that day have the same date
            return self.value - before - datetime.timedelta(days=1)
        return min(self.value, clock.latest(self.kind)) - before


def seconds_of(overlap: Any) -> datetime.timedelta:
    """Return an overlap as a time."""
    if overlap is None:
        return DEFAULT_OVERLAP
    if isinstance(overlap, datetime.timedelta):
        return overlap
    return datetime.timedelta(seconds=float(overlap))


def marked(name: str, values: Iterable[Any], old: Mark, overlap: Any, clock: Clock) -> Mark:
    """Return the mark after rows with some watermarks were read.

    :param name: of the model and the column, for messages
    :param values: may have None, of rows that each run reads again, as it does those of zero dates
    :param old: the mark of the run before
    :raises UsageError: if values of this type are no watermarks, or need an overlap
    :raises MirrorError: if one has no place among the others, as infinity has none
    :raises FullRunError: if they do not continue the mark
    """
    highest = _highest(name, values)
    kind = '' if highest is None else _kind_of(name, highest, overlap)
    if kind and old.kind not in ('', kind):
        raise FullRunError(f'{name}: its type changed')
    if old.kind and old.kind not in TIMES and (not kind or highest < old.value):
        raise FullRunError(f'{name}: the highest one went back from {old.value} to {highest}')
    if not kind:
        kind, highest = old.kind, old.value
    if not kind:
        return old
    at = clock.latest(kind) if kind in TIMES else None
    if kind == old.kind:
        highest = max(highest, old.value if at is None else old.value + (at - old.at))
    value = highest if at is None else min(highest, at)
    return Mark(kind, value, at, clock.ahead, old.left, old.stored)


def _highest(name: str, values: Iterable[Any]) -> Any:
    """Return the highest watermark; None if there is none."""
    watermarks = [each for each in values if each is not None and not is_zero_date(each)]
    for each in watermarks:
        if each in _INFINITIES or (isinstance(each, float | Decimal) and not isfinite(each)):
            raise _stray(name, each)
    try:
        return max(watermarks, default=None)
    except TypeError:
        raise _stray(name, min(watermarks, key=lambda each: not isinstance(each, str))) from None


def _stray(name: str, value: Any) -> MirrorError:
    return MirrorError(
        f'{name}: the watermark {value!r} cannot be compared with later ones. Nothing was changed. '
        "Select NULL in its place, such as by NULLIF(column, 'infinity'): each run reads the rows "
        'without a watermark.'
    )


def _kind_of(name: str, value: Any, overlap: Any) -> str:
    kind = ''
    if isinstance(value, datetime.datetime):
        kind = 'local' if value.tzinfo is None else 'moment'
    elif not isinstance(value, bool):
        kind = next((each for each in KINDS if isinstance(value, KINDS[each].type)), '')
    if not kind:
        raise UsageError(
            f'{name}: {value!r} cannot be a watermark. changed= takes columns of moments, dates '
            'and numbers. Select one of these: in SQLite, unixepoch(column), or a column of '
            'SQLAlchemy with the type DateTime.'
        )
    if kind not in TIMES and not isinstance(overlap, int | float | Decimal):
        raise UsageError(
            f'{name}: it holds numbers, so overlap={{...: 1000}} has to say by how much the number '
            'of a row may be below the highest one when the row is committed.'
        )
    if (seconds_of(overlap) < ZERO) if kind in TIMES else overlap < 0:
        raise UsageError(f'{name}: overlap is negative.')
    return kind


def clock_of(connection: Any) -> Clock:
    """Return the time in a snapshot that has just begun."""
    ours = utc = datetime.datetime.now(datetime.UTC).replace(tzinfo=None)
    local = connection.execute(select(func.current_timestamp())).scalar_one()
    if local.tzinfo:
        utc = local.astimezone(datetime.UTC).replace(tzinfo=None)
        local = local.replace(tzinfo=None)
    elif connection.dialect.name in ('mysql', 'mariadb'):
        utc = connection.execute(select(func.utc_timestamp())).scalar_one()
    elif connection.dialect.name == 'sqlite':
        utc = local
    return Clock(local, utc, ours)
