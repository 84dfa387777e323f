"""Stage a data set where no query reads: rows under fresh pks, sets under ``:tmp:`` names.

Objects are encoded and sent chunk by chunk, and then released: a data set from a generator is never
in memory as a whole. It may also come encoded, as ``StoredRows``. The transaction that stages a key
also lists it under ``:tmp:``, so another process can sweep it by its exact name.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from ...errors import UsageError
from ..flows import Batch, Command, Flow, ask, chunks
from ..keys import BROUGHT, RANGES, STAGED, ranges_of
from ..locking.key_types import check_types
from ..locking.transactions import CHUNK, LISTED, SETS, guarded_store, in_scores
from ..mapping.encoder import StoredRow, StoredRows
from ..mapping.index_keys import grouped_by_index
from ..mapping.schema import Schema
from ..objects.state import assigned
from ..writes.arguments import check_distinct, check_model, check_whole
from ..writes.inserts.pks import highest, reserve
from .observer import ResetObserver
from .promises import Promises
from .scripts import CLAIM

__all__ = (
    'Staging',
    'assign',
    'claim',
    'reserve_range',
    'row_commands',
    'stage_batches',
)


class Staging:
    """The part of one model in a reset: its objects, their pks and its staged keys.

    :param schema: the model
    :param objs: the new data set: a list, or an iterator that is read once; of objects, or
        :class:`~.encoder.StoredRows`
    :param token: token of the reset
    :param promises: the assigned pks of all models of the reset
    :param observer: receives the progress
    """

    def __init__(
        self,
        schema: Schema,
        objs: Iterable[Any],
        token: bytes,
        promises: Promises,
        observer: ResetObserver,
    ) -> None:
        self.schema, self.objs, self.token = schema, objs, token
        self.promises, self.observer = promises, observer
        self.is_encoded = isinstance(objs, StoredRows)
        self._memos = schema.encoder.memos()
        #: pks of the new data set, in order
        self.pks: list[int] = []
        #: number of staged rows
        self.count = 0
        #: keys that the swap replaced
        self.replaced: set[bytes] = set()
        #: given pks: those that objects bring
        self.given: set[int] = set()
        #: given pks that are in use, so that the swap has to move their rows
        self.occupied: set[int] = set()
        #: objects that only links lead to so far, by ``id()``
        self.awaited: dict[int, Any] = {}
        self._ranges: list[tuple[range, bytes]] = []

    def staged(self, key: bytes) -> bytes:
        """Return where ``key`` is staged."""
        return self.schema.keys.staged(self.token, key)

    def ranges_of(self, pks: Sequence[int]) -> list[bytes]:
        """Return the reserved ranges that hold these pks, as members of ``RANGES``."""
        low, high = min(pks), max(pks)
        return [text for part, text in self._ranges if part.start <= high and low < part.stop]

    def highest(self) -> int:
        """Return the highest pk of the new data set."""
        return highest((*self.given, *(part.stop - 1 for part, _ in self._ranges)))

    def note(self, objs: Sequence[Any], pks: Sequence[int]) -> None:
        """Note objects, or rows, of the new data set and the pks that are assigned to them."""
        self.pks += pks
        self.observer.assigned(self.schema.cls, objs, pks)

    def encode(self, objs: Sequence[Any]) -> list[StoredRow]:
        """Return rows of objects. Their pks and those of their link targets must be assigned."""
        return self.schema.encoder.rows(objs, self.promises.pks, self._memos)

    def check(self, objs: Sequence[Any]) -> None:
        """Check that these objects can be part of the new data set.

        :raises UsageError: naming the first that cannot
        """
        for obj in objs:
            check_model(self.schema, obj)
            check_whole(obj)
        again = filter(self.promises.is_staged, objs)
        check_distinct(self.schema, [*objs, *again], (obj._id for obj in objs))

    def adopt_pks(self, objs: Iterable[Any], held: bool) -> None:
        """Assign the given pks to objects that bring them.

        :param held: whether the caller holds the objects
        :raises UsageError: if another object of the data set has one of the pks
        """
        for obj in objs:
            pk = obj._id
            fresh = any(pk in part for part, _ in self._ranges)
            if fresh or pk in self.given:
                raise UsageError(
                    f'{self.schema.name}: pk {pk} belongs to an earlier object of this reset. '
                    'Give a list instead of a generator, or give the objects that bring a pk first.'
                )
            self.given.add(pk)
            self.promises.assign(obj, pk, held)

    def reserved(self, pks: range) -> None:
        """Note that pks are reserved for the new data set."""
        self._ranges += ranges_of(pks)

    def encoded_chunks(self, items: Iterable[Any]) -> Iterator[tuple[list[int], list[StoredRow]]]:
        """Yield pks and rows of items, chunk by chunk.

        :param items: objects with assigned pks; of an encoded data set, pairs of pk and row
        """
        promises, schema = self.promises, self.schema
        for chunk in chunks(items, CHUNK):
            if self.is_encoded:
                yield [pk for pk, _ in chunk], [row for _, row in chunk]
                continue
            values = [assigned(obj) for obj in chunk]
            rows = self.encode(chunk)
            pks = [promises.pks[id(obj)] for obj in chunk]
            promises.stage(chunk, schema, rows, values)
            chunk.clear()
            yield pks, rows


def assign(staging: Staging, objs: Iterable[Any]) -> Flow[None]:
    """Assign a pk to each of ``objs`` without one: the pk that it brings, or a fresh one."""
    held = objs is staging.objs  # a list, which the caller holds
    unknown = [obj for obj in objs if id(obj) not in staging.promises.pks]
    staging.adopt_pks((obj for obj in unknown if obj._id is not None), held)
    new = [obj for obj in unknown if obj._id is None]
    for obj, pk in zip(new, (yield from reserve_range(staging, len(new))), strict=True):
        staging.promises.assign(obj, pk, held)


def reserve_range(staging: Staging, count: int) -> Flow[range]:
    """Reserve consecutive pks for new objects of the data set."""
    if not count:
        return range(0)
    first, _ = yield from reserve(staging.schema, count, highest(staging.given))
    pks = staging.schema.keys.pks(first, count)
    staging.reserved(pks)
    return pks


def claim(staging: Staging, objs: Iterable[Any]) -> Flow[None]:
    """Claim the given pks of objects, and note which are in use.

    Rows of pks in use are staged under other names, and the swap moves them.
    """
    if not staging.given:
        return
    pks = [staging.promises.pks[id(obj)] for obj in objs]
    pks = [pk for pk in pks if pk in staging.given]
    if not pks:
        return
    keys = staging.schema.keys
    yield from check_types(staging.schema, [keys.all])
    yield from check_types(staging.schema, [keys.next], b'string')
    command = CLAIM([keys.next, keys.all], keys.data_prefix, highest(pks), *pks)
    taken = yield from ask(*command)
    staging.occupied.update(map(int, taken))


def stage_batches(staging: Staging, items: Iterable[Any], extend: Command) -> Iterator[Batch]:
    """Yield the batches that stage items; encode a chunk while the server stores the last one.

    :param items: as of :meth:`Staging.encoded_chunks`
    :param extend: the command that extends the locks of the reset
    """
    texts: list[bytes] = []  # pks whose index entries are not staged yet, and their rows
    waiting: list[StoredRow] = []
    for pks, rows in staging.encoded_chunks(items):
        yield Batch([extend, *row_commands(staging, pks, rows)])
        size = sum(map(len, map(b''.join, rows)))
        staging.observer.staged(staging.schema.cls, len(rows), size)
        texts += map(b'%d'.__mod__, pks)
        waiting += rows
        if len(texts) >= LISTED:
            yield from _set_batches(staging, texts, waiting, extend)
            texts, waiting = [], []
    yield from _set_batches(staging, texts, waiting, extend)


def row_commands(staging: Staging, pks: Sequence[int], rows: Sequence[StoredRow]) -> list[Command]:
    keys, token = staging.schema.keys, staging.token
    staging.count += len(pks)
    # A row under a pk in use has another name until the swap.
    kept = staging.occupied.intersection(pks) if staging.occupied else staging.occupied
    moved = {pk: staging.staged(keys.data(pk)) for pk in pks if pk in kept}
    names = [moved[pk] if pk in kept else keys.data(pk) for pk in pks]
    given = [pk for pk in pks if pk in staging.given and pk not in kept]
    listed: dict[bytes, list[Any]] = {
        RANGES: staging.ranges_of(pks),
        BROUGHT: given,
        STAGED: [*moved.values()],
    }
    commands = [
        *(('SADD', keys.work(token, name), *some) for name, some in listed.items() if some),
        *staging.schema.set_rows(names, rows),
    ]
    return guarded_store(keys, token, commands, (pk for pk in pks if pk not in kept), names)


def _set_batches(
    staging: Staging, pks: Sequence[bytes], rows: Sequence[StoredRow], extend: Command
) -> Iterator[Batch]:
    keys, token = staging.schema.keys, staging.token
    if not pks:
        return
    sets = {keys.all: pks, **grouped_by_index(staging.schema, pks, rows)}
    groups = [('SADD', some) for some in chunks(sets.items(), SETS)]
    groups += (('ZADD', [*each.items()]) for each in in_scores(staging.schema, pks, rows))
    for add, group in groups:
        staged = {staging.staged(key): members for key, members in group}
        adding = [(add, name, *members) for name, members in staged.items()]
        commands = [('SADD', keys.work(token, STAGED), *staged), *adding]
        yield Batch([extend, *guarded_store(keys, token, commands)])
