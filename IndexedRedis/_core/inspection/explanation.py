"""What a query will do, as text and as plain data. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from ..flows import Command
from ..text import shown, text_of

__all__ = (
    'Explanation',
    'FilterSeen',
    'Measured',
    'Part',
    'Rows',
    'SetSeen',
    'Trip',
)

# Lines of sets in the text, and words of a command.
SETS_SHOWN = 12
ARGUMENTS_SHOWN = 16


class FilterSeen(NamedTuple):
    """One filter: its field, its lookup, its index values and index sets.

    The lookup is ``''`` for equality, ``'ne'`` or ``'in'``. Inside of an "or" or a "not" it is what
    the filter says by itself.
    """

    field: str
    lookup: str
    values: tuple[bytes, ...]
    keys: tuple[bytes, ...]

    def __str__(self) -> str:
        sign = f'__{self.lookup} =' if self.lookup else ' ='
        return f'{self.field}{sign} {" or ".join(map(shown, self.values[:3]))}' + (
            f' and {len(self.values) - 3:,} more' if len(self.values) > 3 else ''
        )


class SetSeen(NamedTuple):
    """A set of the query.

    :param included: whether it is a required set; else an excluded one
    :param drives: whether the set algebra starts from it
    """

    key: bytes
    included: bool
    size: int
    drives: bool


class Rows(NamedTuple):
    """The number of rows: an estimate, and its bounds ``low`` and ``high``."""

    low: int
    high: int
    estimate: int

    @property
    def exact(self) -> bool:
        """Whether the number is exact."""
        return self.low == self.high

    def __str__(self) -> str:
        if self.exact:
            return f'{self.estimate:,}'
        return f'about {self.estimate:,} (between {self.low:,} and {self.high:,})'


class Trip(NamedTuple):
    """One round trip, or one stream of overlapping chunks.

    :param commands: the commands; of a stream, the command for one row
    :param times: how often they are sent
    :param chunks: number of chunks; 0: one batch
    :param last: commands sent along with the last chunk
    """

    commands: Sequence[Command]
    times: int = 1
    chunks: int = 0
    last: Sequence[Command] = ()

    def lines(self) -> Iterator[str]:
        """Yield each command as a line."""
        more = f'   x {self.times:,}' if self.chunks or self.times > 1 else ''
        more += f', in {_many(self.chunks, "chunk")}' if self.chunks else ''
        for command in self.commands:
            yield _line(command) + more
        yield from map(_line, self.last)


def _line(command: Command) -> str:
    words = [shown(word) for word in command[:ARGUMENTS_SHOWN]]
    return ' '.join([*words, '...'] if len(command) > ARGUMENTS_SHOWN else words)


class Part(NamedTuple):
    """One set expression: its sets, its rows, its round trips."""

    sets: Sequence[SetSeen]
    rows: Rows
    trips: Sequence[Trip]


class Measured(NamedTuple):
    """The cost of one run.

    :param seconds: from the first command to the finished objects
    :param waited: seconds of these that the client waited for the server
    """

    rows: int
    trips: int
    chunks: int
    commands: int
    bytesSent: int
    bytesReceived: int
    seconds: float
    waited: float

    def __str__(self) -> str:
        return (
            f'{_many(self.rows, "row")}, {_trips(self.trips, self.chunks)}, '
            f'{_many(self.commands, "command")}, {self.bytesSent:,} bytes sent, '
            f'{self.bytesReceived:,} received, '
            f'{1000 * self.seconds:.2f} ms (of those {1000 * self.waited:.2f} for the server)'
        )


class Explanation:
    """What :meth:`~IndexedRedis.IndexedRedisQuery.all` of a query will do."""

    def __init__(
        self,
        model: str,
        total: int,
        filters: Sequence[FilterSeen],
        parts: Sequence[Part],
        tree: str = '',
        trips: Sequence[Trip] | None = None,
    ) -> None:
        #: name of the model
        self.model = model
        #: number of stored objects
        self.total = total
        #: the filters
        self.filters = filters
        #: one part for each set expression; several if a value has several stored forms, or for the
        #: parts of an "or", which then do not overlap
        self.parts = parts
        #: the expression tree as text, if there is an "or", a "not" or a list of values
        self.tree = tree
        self._trips = trips
        #: the order of the objects and the part of the result, as text, if the query names any
        self.order = ''
        #: how the order comes about, as text
        self.way = ''
        #: the trips that look up the pks of linked objects
        self.lookups: list[Trip] = []
        #: sentences about what may be slow, or a mistake
        self.warnings: list[str] = []
        #: the numbers of the partitions that are asked
        self.partitions: list[int] = []
        #: number of the partition whose sets and trips these are
        self.partitionShown = 0
        #: how many partitions the model has
        self.partitionsOfModel = 0
        #: the cost of a run; None without ``analyze``
        self.measured: Measured | None = None

    @property
    def rows(self) -> Rows:
        """The number of rows."""
        nothing = Rows(0, 0, 0)
        found = zip(nothing, *(part.rows for part in self.parts), strict=True)
        return Rows(*map(sum, found))

    @property
    def sets(self) -> list[SetSeen]:
        """The sets of the query."""
        return [each for part in self.parts for each in part.sets]

    @property
    def trips(self) -> list[Trip]:
        """The round trips, in order."""
        own = self._trips
        if own is None:
            own = [trip for part in self.parts for trip in part.trips]
        return [*self.lookups, *own]

    @trips.setter
    def trips(self, trips: Sequence[Trip]) -> None:
        self._trips = trips

    @property
    def chunks(self) -> int:
        """Number of chunks of rows; 0 if the rows come together with the pks."""
        return sum(trip.chunks for trip in self.trips)

    @property
    def path(self) -> str:
        """How the query is answered, in a sentence."""
        trips = self.trips[len(self.lookups) :]
        before = 'pks of linked objects, then ' if self.lookups else ''
        if self.way:
            return f'{before}{self.way}: {_trips(len(self.trips), self.chunks)}'
        if not trips and not before:
            return 'nothing can match, so nothing is sent'
        parts = len(self.parts) if self._trips is None else 1
        how = 'set algebra, then rows in chunks' if trips else 'nothing'
        if trips and len(trips) == parts and not self.chunks:
            how = 'scripts that give pks and rows'
            how = 'one script that gives pks and rows' if parts == 1 else how
        return f'{before}{how}: {_trips(len(self.trips), self.chunks)}'

    def asDict(self) -> dict[str, Any]:
        """Return it as plain data, for json."""
        return {
            'model': self.model,
            'objects': self.total,
            'filters': [
                {
                    'field': each.field,
                    'lookup': each.lookup,
                    'keys': [text_of(key) for key in each.keys],
                }
                for each in self.filters
            ],
            **({'tree': self.tree} if self.tree else {}),
            **({'order': self.order} if self.order else {}),
            'sets': [{**each._asdict(), 'key': text_of(each.key)} for each in self.sets],
            'rows': {**self.rows._asdict(), 'exact': self.rows.exact},
            'path': self.path,
            **self._partitions_as_dict(),
            'trips': [
                {
                    'commands': [list(map(text_of, command)) for command in trip.commands],
                    'times': trip.times,
                    'chunks': trip.chunks,
                    'last': [list(map(text_of, command)) for command in trip.last],
                }
                for trip in self.trips
            ],
            'warnings': list(self.warnings),
            'measured': self.measured._asdict() if self.measured else None,
        }

    def _partitions_as_dict(self) -> dict[str, Any]:
        if not self.partitionsOfModel:
            return {}
        return {
            'partitions': {
                'asked': self.partitions,
                'of': self.partitionsOfModel,
                'shown': self.partitionShown,
            }
        }

    def __str__(self) -> str:
        sets = _some(list(self._set_lines()))
        return '\n'.join([self.head(), '  sets:', *sets, self.tail()])

    def head(self) -> str:
        """Return the text above the list of sets."""
        asked = self.tree or ', '.join(map(str, self.filters[:5])) or 'all objects'
        more = ', ...' if len(self.filters) > 5 and not self.tree else ''
        lines = [f'{self.model}: {asked}{more}', f'  rows: {self.rows} of {self.total:,}']
        lines += [f'  order: {self.order}'] if self.order else []
        lines += [f'  partitions: {self._partitions_text()}'] if self.partitionsOfModel else []
        return '\n'.join([*lines, f'  path: {self.path}'])

    def _partitions_text(self) -> str:
        """Return how many partitions are asked, and which one the rest of the text is about."""
        asked, of = len(self.partitions), self.partitionsOfModel
        which = 'all' if asked == of else f'{asked:,} of'
        more = ' at the same time' if asked > 1 else ''
        shown = self.partitionShown
        return f'{which} {of:,} are asked{more}; sets and commands are those of number {shown:,}'

    def tail(self) -> str:
        """Return the text below the list of sets: commands, warnings, cost."""
        lines = ['  commands:']
        for number, trip in enumerate(self.trips, 1):
            lines += [f'    {number}. {line}' for line in trip.lines()]
        lines += ['  warnings:'] if self.warnings else []
        lines += [f'    - {text}' for text in self.warnings]
        return '\n'.join(lines + ([f'  measured: {self.measured}'] if self.measured else []))

    def _set_lines(self) -> Iterator[str]:
        for key, included, size, drives in self.sets:
            note = ', the set algebra starts here' if drives else ''
            yield f'    {"in" if included else "not in"} {shown(key)}: {size:,}{note}'

    def __repr__(self) -> str:
        return f'<Explanation {self.model}: {self.rows} rows, {self.path}>'


def _some(lines: list[str]) -> list[str]:
    more = len(lines) - SETS_SHOWN
    return lines if more <= 0 else [*lines[:SETS_SHOWN], f'    and {more:,} more']


def _trips(trips: int, chunks: int) -> str:
    text = _many(trips, 'trip')
    return f'{text}, {_many(chunks, "chunk")}' if chunks else text


def _many(count: int, what: str) -> str:
    return f'{count:,} {what}' + ('' if count == 1 else 's')
