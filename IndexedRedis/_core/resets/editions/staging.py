"""Stage a data set as an edition that nobody reads yet: rows, index sets and sorted sets."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import count as numbers_from
from typing import Any, NamedTuple

from ....errors import FieldValueError, UniqueError, UsageError
from ...flows import Batch, Command, Flow, Parts
from ...incarnations import is_lost, read_incarnations
from ...locking.key_types import wrong_type
from ...locking.locks import LockOwner, extend_command, lock_lost_error
from ...locking.transactions import CHUNK, SCORES, guarded_store, objection
from ...mapping.encoder import StoredRow
from ...mapping.index_keys import grouped_by_index, grouped_by_sorted, unique_key
from ...mapping.schema import Schema
from ...mapping.unique import Unique
from ...objects.state import assigned, current_bytes
from ...partitions.editions.fence import Edition
from ...partitions.editions.known import shards
from ...partitions.layout import Shard
from ...partitions.spread import at_places, spread
from ...partitions.values import partition_of, partition_of_stored
from ...script import Script
from ...writes.acknowledging import NOT_REPLACED, check_acknowledged, wait_commands
from ...writes.inserts.pks import reserve
from ..staging import Staging

__all__ = (
    'BLOCK',
    'EditionStaging',
    'assign',
    'begin',
    'draw',
    'encoded',
    'open_lost',
    'stage',
)

# Items that are in memory at a time.
BLOCK = 5_000
# Pks that a reset to another number of partitions leaves to those who save meanwhile.
PKS_APART = 10**9


# Raise a counter of pks.
# KEYS: counter.
# ARGV: the least number that it must have.
# Returns 1.
# Bounded: two commands.
RAISE = Script(
    'raise_counter',
    """
local number = tonumber(redis.call('GET', KEYS[1]) or '0') or 0
if number < tonumber(ARGV[1]) then redis.call('SET', KEYS[1], ARGV[1]) end
return 1
""",
)


class EditionStaging(Staging):
    """The part of one model in a reset: its objects, their pks, and the edition to stage.

    :param given: the parameters of :class:`Staging`
    """

    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        self.edition = Edition(0, self.schema.partitions)
        self._turn = numbers_from()
        #: the first and the last pk that was drawn in each partition
        self._drawn: dict[int, tuple[int, int]] = {}
        # of each partition: id of an incarnation -> the highest pk that was drawn under it
        self._ids: dict[int, dict[bytes, int]] = {}

    @property
    def owner(self) -> LockOwner:
        """Who holds the lock of the model."""
        return LockOwner(self.schema, self.token)

    @property
    def shards(self) -> list[Shard]:
        """The partitions of the edition."""
        return shards(self.schema, self.edition)

    def partition_of(self, item: Any) -> int:
        """Return the partition of a new object, or row: by its value, or in turn."""
        if self.schema.partition_by is None:
            return next(self._turn) % self.edition.partitions
        return self.place_of(item, self.edition)

    def place_of(self, item: Any, edition: Edition) -> int:
        """Return the partition of an edition that the value of an object, or row, leads to."""
        by = self.schema.partition_by
        assert by is not None
        stored = item[self.schema.all.index(by)] if self.is_encoded else current_bytes(item, by, {})
        return partition_of_stored(by, stored, edition)

    def note_drawn(self, number: int, pks: range, drawn: bytes) -> None:
        """Note pks that were drawn for new objects of a partition, under an incarnation."""
        first, _ = self._drawn.get(number, (pks[0], 0))
        self._drawn[number] = first, pks[-1]
        self._ids.setdefault(number, {})[drawn] = pks[-1]

    def lost_pks(self, number: int, listed: bytes | None, counter: bytes | None) -> bool:
        """Return whether a failover lost draws of a partition, so that others may have the pks.

        :param listed: the record of incarnations where the rows are stored
        :param counter: the counter of pks there
        """
        _, last = self._drawn.get(number, (0, 0))
        ids = self._ids.get(number, {})
        return int(counter or 0) < last or any(is_lost(listed, *each) for each in ids.items())

    def check_given(self, obj: Any) -> None:
        """Check that an object can have the pk that it brings.

        :raises FieldValueError: if the pk is of another partition than its value
        :raises UsageError: if an earlier new object may have it
        """
        by, pk = self.schema.partition_by, obj._id
        number = partition_of(pk, self.edition)
        if by is not None and number != self.partition_of(obj):
            raise FieldValueError(
                f'{by.label} = {getattr(obj, by.name)!r} decides the partition of an object, and '
                f'pk {pk}, which it brings, is of another one. Nothing was replaced. Leave the pk '
                'out.'
            )
        first, last = self._drawn.get(number, (pk + 1, pk))
        if first <= pk <= last:
            raise UsageError(
                f'{self.schema.name}: pk {pk} may belong to an earlier object of this reset. '
                'Give a list instead of a generator, or give the objects that bring a pk first.'
            )


def begin(owner: LockOwner, before: Edition, after: Edition) -> Flow[None]:
    """Let the token of a reset stage in the partitions: it holds their locks, which do not expire.

    The home lock tells whether the reset is alive; whoever gets that removes these.

    :param before: the edition that is true
    :param after: the one to stage
    :raises ResetLostError: if the lock of the model is lost
    """
    schema, token, start = owner.schema, owner.token, 0
    if before.partitions != after.partitions:
        # No pk is used twice. While this reset stages, others go on drawing below its start.
        old = [(s.keys.fence, [('GET', s.keys.next)]) for s in shards(schema, before)]
        start = PKS_APART + max(int(text or 0) for (text,) in (yield from at_places(old)))
    beginning: list[tuple[Shard, list[Command]]] = []
    for shard in shards(schema, after):
        lock = shard.keys.lock
        taking: list[Command] = [('SET', lock, token, 'NX'), ('GET', lock)]
        beginning.append((shard, [*taking, RAISE([shard.keys.next], start)]))
    for _, holder, *_ in (yield from _confirmed(schema, beginning)):
        if holder != token:  # another reset has dropped the edition meanwhile
            raise lock_lost_error([owner])


def open_lost(schema: Schema, edition: Edition) -> Flow[None]:
    """Open the partitions that have lost their fences, and their data, which a reset replaces.

    They have lost their counters too. No pk is used twice, so they begin far above the others.
    """
    places = shards(schema, edition)
    told = yield from at_places(
        [(s.keys.fence, [('MGET', s.keys.fence, s.keys.next)]) for s in places]
    )
    start = PKS_APART + max(int(number or 0) for ((_, number),) in told)
    lost = [s for s, ((fence, _),) in zip(places, told, strict=True) if fence is None]
    opening = (
        (s, [RAISE([s.keys.next], start), ('SET', s.keys.fence, s.open, 'NX')]) for s in lost
    )
    yield from _confirmed(schema, [*opening])


def _confirmed(
    schema: Schema, commands: Sequence[tuple[Shard, list[Command]]]
) -> Flow[list[list[Any]]]:
    """Send commands to shards, and wait for the replicas of each; return the replies.

    :raises NotAcknowledgedError: if too few replicas confirm them
    """
    sent = [(s.keys.fence, [*some, *wait_commands([s])]) for s, some in commands]
    found = yield from at_places(sent)
    for replies in found:
        check_acknowledged([schema], wait_commands([schema]), replies, NOT_REPLACED)
    return found


def assign(staging: EditionStaging, objs: Iterable[Any]) -> Flow[None]:
    """Assign a pk to each of ``objs`` without one: the pk that it brings, or a fresh one."""
    held = objs is staging.objs
    unknown = [obj for obj in objs if id(obj) not in staging.promises.pks]
    given = [obj for obj in unknown if obj._id is not None]
    for obj in given:
        staging.check_given(obj)
    staging.adopt_pks(given, held)
    if given:
        yield from _claim(staging)
    new = [obj for obj in unknown if obj._id is None]
    for obj, pk in zip(new, (yield from draw(staging, new)), strict=True):
        staging.promises.assign(obj, pk, held)


def _claim(staging: EditionStaging) -> Flow[None]:
    """Raise the counters above the pks that objects bring, before the rows are staged.

    Whoever saves meanwhile would draw such a pk, and later save over the row of the new data set.
    """
    raised = max(staging.given)
    yield from _confirmed(
        staging.schema, [(s, [RAISE([s.keys.next], raised)]) for s in staging.shards]
    )


def draw(staging: EditionStaging, items: Sequence[Any]) -> Flow[list[int]]:
    """Draw a pk for each new object, or row, in its partition."""
    numbers = [staging.partition_of(item) for item in items]
    counts = Counter(numbers)
    above = max(staging.given, default=0)
    places = shards(staging.schema, staging.edition, counts)
    outcomes = yield from spread(
        {s.number: (s.keys.fence, reserve(s, counts[s.number], above)) for s in places}
    )
    drawn: dict[int, Iterator[int]] = {}
    for shard in places:
        first, under = outcomes[shard.number].result
        pks = shard.keys.pks(first, counts[shard.number])
        staging.note_drawn(shard.number, pks, under)
        drawn[shard.number] = iter(pks)
    return [next(drawn[number]) for number in numbers]


def stage(
    staging: EditionStaging,
    rows: Sequence[StoredRow],
    pks: Sequence[int],
    owners: Sequence[LockOwner],
) -> Flow[None]:
    """Stage rows under their pks.

    :param owners: who holds the locks of all models of the reset; this extends them
    :raises ResetLostError: if a lock is lost, or a failover lost that the pks were drawn
    :raises UniqueError: if two objects have a unique value
    :raises NotAcknowledgedError: if too few replicas confirm it
    """
    groups: dict[int, tuple[list[int], list[StoredRow]]] = {}
    for pk, row in zip(pks, rows, strict=True):
        mine = groups.setdefault(partition_of(pk, staging.edition), ([], []))
        mine[0].append(pk)
        mine[1].append(row)
    parts = [(staging.schema.keys.lock, Batch([extend_command(owners, retake=1)]))]
    chunks: list[_Chunk] = []
    for shard in shards(staging.schema, staging.edition, groups):
        for chunk in _chunks(shard, *groups[shard.number]):
            chunks.append(chunk)
            # Rows that a failover loses would be missing once the edition is true.
            commands = [*chunk.commands(staging.token), *wait_commands([shard])]
            parts.append((shard.keys.fence, Batch(commands)))
    held, *replies = yield Parts(parts)
    for reply in (held, *replies):
        if isinstance(reply, BaseException):
            raise reply
    if held != [1]:
        raise lock_lost_error(owners)
    waits = wait_commands([staging.schema])
    for chunk, reply in zip(chunks, replies, strict=True):
        *stored, (listed,), counter = reply[: len(reply) - len(waits)]
        chunk.check(stored, owners)
        if staging.lost_pks(chunk.shard.number, listed, counter):
            raise lock_lost_error(owners)
        check_acknowledged([staging.schema], waits, reply, NOT_REPLACED)
    staging.count += len(pks)


def encoded(staging: EditionStaging, items: Sequence[Any]) -> Sequence[StoredRow]:
    """Return the rows of objects that have their pks, or rows as they are; tell the observer."""
    rows: Sequence[StoredRow] = items
    if not staging.is_encoded:
        values = [assigned(obj) for obj in items]  # before encoding, so that a change is detected
        rows = staging.encode(items)
        staging.promises.stage(items, staging.schema, rows, values)
    if rows:
        staging.observer.staged(staging.schema.cls, len(rows), sum(map(len, map(b''.join, rows))))
    return rows


class _Chunk(NamedTuple):
    """Rows that one transaction stages in one partition, with all that leads to them."""

    shard: Shard
    pks: Sequence[int]
    rows: Sequence[StoredRow]

    def commands(self, token: bytes) -> list[Command]:
        """Return the batch that stages them while the token holds the lock of the partition.

        Its last two replies are those that :meth:`EditionStaging.lost_pks` takes.
        """
        shard, keys = self.shard, self.shard.keys
        texts = [b'%d' % pk for pk in self.pks]
        sets = grouped_by_index(shard, texts, self.rows)
        scores = grouped_by_sorted(shard, texts, self.rows)
        commands: list[Command] = [
            ('SADD', keys.all, *texts),
            *shard.set_rows([keys.data(pk) for pk in self.pks], self.rows),
            *(('SADD', key, *members) for key, members in sets.items()),
            *(('ZADD', key, *members) for key, members in scores.items()),
            *(('SCARD', key) for key, _, _ in self._unique()),
        ]
        probe = [read_incarnations(keys), ('GET', keys.next)]
        return [*guarded_store(keys, token, commands), *probe]

    def check(self, replies: Sequence[Any], owners: Sequence[LockOwner]) -> None:
        """Check the replies to the batch, but for the last two.

        :raises ResetLostError: if the lock is lost
        :raises WrongKeyTypeError: if a key holds another type
        :raises UniqueError: if two objects have a unique value
        """
        against = objection(replies)
        if isinstance(against, list):
            raise wrong_type(self.shard, *against)
        if against is not None:
            raise lock_lost_error(owners)
        claims = self._unique()
        sizes = replies[-1][len(replies[-1]) - len(claims) :]
        for (_, unique, stored), size in zip(claims, sizes, strict=True):
            if size > 1:
                raise UniqueError(
                    f'{unique.label}: two objects of the new data set have {unique.shown(stored)}, '
                    'and UNIQUE_FIELDS allows each value once. Nothing was replaced. Give one of '
                    'them another value.',
                    unique.names,
                )

    def _unique(self) -> list[tuple[bytes, Unique, list[Any]]]:
        found = []
        for row in self.rows if self.shard.uniques else ():
            by_name = dict(zip(self.shard.columns, row, strict=True))
            for unique in self.shard.uniques:
                stored = unique.values_in(by_name)
                if not unique.is_null(stored):
                    found.append((unique_key(self.shard, unique, stored), unique, stored))
        return found


def _chunks(shard: Shard, pks: Sequence[int], rows: Sequence[StoredRow]) -> Iterator[_Chunk]:
    size = min(CHUNK, SCORES // len(shard.sorted) if shard.sorted else CHUNK) or 1
    for start in range(0, len(pks), size):
        yield _Chunk(shard, pks[start : start + size], rows[start : start + size])
