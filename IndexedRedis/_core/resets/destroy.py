"""Destroy a model while others write: an object that they store meanwhile is whole, and stays.

Destroying settles what dead writers left, and resets the model to an empty data set, without a
grace time. Then it scans all keys, and removes the keys of the model that belong to no object. It
touches only keys of the exact shapes of the model. The counter stays, with its record of
incarnations and the notes of draws: other processes may hold objects under old pks, or pks that
they have drawn and not used yet.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ...errors import ResetLostError
from ..bulk.recovery import begin
from ..flows import Batch, Command, Flow, Scan, ServerFull, ask, chunks, page_of, scan, whole
from ..keys import REPLACED
from ..locking.locks import extend_command, lock_lost_error, locked
from ..locking.scripts import CLEAR, CLEAR_SETS, RETIRE
from ..mapping.schema import Schema
from ..overlap import walk
from ..writes.acknowledging import acknowledge
from .index_fill import AT_ONCE, MOST, Switch
from .observer import ResetObserver
from .promises import Promises
from .scripts import LARGE
from .staging import Staging
from .swap import swap

__all__ = ('destroy',)

# Keys of one page of SCAN, and index sets that one script measures.
PAGE = 1000
# Index sets that one CLEAR_SETS gets. It empties the first of them, until its budget is used up.
SETS = 200


def each_page(
    schema: Schema, act: Callable[[list[bytes]], Flow[None]], *extend: Command, strict: bool = False
) -> Flow[None]:
    """Act on all keys of the model, page by page.

    :param extend: commands to send along with each request for a page
    :param strict: as of :func:`scan`
    """

    def act_on_own(page: list[bytes]) -> Flow[None]:
        return act([key for key in page if schema.keys.is_own(key)])

    how: Any = {'match': schema.keys.pattern, 'count': PAGE, 'strict': strict}
    yield from scan(act_on_own, extend=extend, **how)


def destroy(schema: Schema, token: bytes) -> Flow[int]:
    """Remove the keys of a model but those of the pk counter; return how many there were.

    :param token: text that no reset has
    """
    staging = Staging(schema, [], token, Promises(), ResetObserver())
    removed = 0
    cursor: Any = b'0'
    one = Scan()
    while True:
        try:
            return removed + (yield from locked([staging], _empty(staging)))
        except ServerFull:
            pass
        if cursor is None:
            return removed + (yield from _unlink_all(schema))
        # The server has no memory for a lock, so remove some rows first. each_page() cannot serve
        # here: its cursor would be lost between two tries.
        request = ('SCAN', cursor, 'MATCH', schema.keys.pattern, 'COUNT', PAGE)
        replies = yield Batch([request], scan=one)
        if replies is None:
            cursor, one = b'0', Scan()
            continue
        cursor, page = page_of(replies[0])
        rows = [key for key in page if schema.keys.is_row(key)]
        removed += (yield from ask('UNLINK', *rows)) if rows else 0


def _empty(staging: Staging) -> Flow[int]:
    schema, keys = staging.schema, staging.schema.keys
    extend = extend_command([staging])
    yield from _unlink_unfit(schema, extend)
    yield from begin([staging])
    count, found = yield from _count_keys(schema, extend)
    indexes = [key for key in found if keys.is_index(key)]
    ordered = {*schema.sorted_keys, *found}.difference(indexes)
    large = yield from _large(indexes, extend)
    yield from swap([Switch(staging, [*large, *sorted(ordered)], (), MOST)], extend)
    # The index sets go before the rows: if this process dies, its successor needs the rows to find
    # the index sets that list them.
    yield from _clear_sets(staging, sorted({*indexes}.difference(large)), extend)

    def retire(pks: list[bytes]) -> Flow[None]:
        names = [keys.all, keys.record]
        yield from ask(*RETIRE(names, staging.token, 0, keys.data_prefix, *pks))

    yield from walk(keys.work(staging.token, REPLACED), retire, (extend,))
    yield from _remove_the_rest(staging, extend)
    yield from acknowledge([schema])
    return count


def _unlink_unfit(schema: Schema, extend: Command) -> Flow[None]:
    """Remove keys that would stop the next steps: of another type, or a counter of no number."""
    keys = schema.keys
    first = {keys.all: b'set', keys.next: b'string', keys.record: b'hash', keys.touched: b'set'}
    yield from _unlink_others(first)
    dead, counter = yield Batch([('HKEYS', keys.record), ('GET', keys.next)])
    if not (counter or b'0').isdigit():
        yield from ask('UNLINK', keys.next)

    def unlink(page: list[bytes]) -> Flow[None]:
        kinds = {key: kind for key in page if (kind := keys.type_of(key))}
        if kinds:
            yield from _unlink_others(kinds)

    if dead:  # settling what they left reads and writes any key
        yield from each_page(schema, unlink, extend)


def _unlink_others(kinds: Mapping[bytes, bytes]) -> Flow[None]:
    """Remove keys that hold another type than they should."""
    found = yield Batch([('TYPE', key) for key in kinds])
    sound = ((kind, b'none') for kind in kinds.values())
    unfit = [key for key, kind, ok in zip(kinds, found, sound, strict=True) if kind not in ok]
    if unfit:
        yield from ask('UNLINK', *unfit)


def _unlink_all(schema: Schema) -> Flow[int]:
    """Remove all keys of a model on a server that is out of memory, where others cannot write."""
    keys = schema.keys
    removed: int = yield from ask('UNLINK', keys.all)

    def unlink(page: list[bytes]) -> Flow[None]:
        nonlocal removed
        page = [key for key in page if not keys.is_of_counter(key)]
        removed += (yield from ask('UNLINK', *page)) if page else 0

    yield from each_page(schema, unlink)
    return removed


def _count_keys(schema: Schema, extend: Command) -> Flow[tuple[int, list[bytes]]]:
    """Return the number of keys to remove, apart from those of this flow.

    Then the index sets and sorted sets, also those of fields that the definition does not list.
    """
    keys = schema.keys
    found: set[bytes] = set()
    count = 0

    def count_page(page: list[bytes]) -> Flow[None]:
        nonlocal count
        others = {*page} - found - {keys.lock, keys.record}
        count += sum(not keys.is_of_counter(key) for key in others)
        found.update(key for key in page if keys.is_index(key) or keys.is_sorted(key))
        yield from ()

    def count_all() -> Flow[None]:
        nonlocal count
        count = 0
        found.clear()
        return each_page(schema, count_page, extend, strict=True)

    yield from whole(count_all)
    return count, sorted(found)


def _large(indexes: Sequence[bytes], extend: Command) -> Flow[list[bytes]]:
    """Return the index sets that are too large for ``CLEAR_SETS``.

    The swap drops them, in a few microseconds each.
    """
    large: list[bytes] = []
    for some in chunks(indexes, PAGE):
        found, _ = yield Batch([LARGE(some, MOST), extend])
        large += found
    return large


def _clear_sets(staging: Staging, names: list[bytes], extend: Command) -> Flow[None]:
    """Remove pks of removed objects from index sets."""
    keys = staging.schema.keys
    while names:
        some = [keys.lock, keys.all, *names[:SETS]]
        done, _ = yield Batch([CLEAR_SETS(some, staging.token, AT_ONCE), extend])
        if done < 0:
            raise _lost(staging)
        names = names[done:]


def _lost(staging: Staging) -> ResetLostError:
    return lock_lost_error(
        [staging], 'The objects are gone, but some of their keys may be left; try again.'
    )


def _remove_the_rest(staging: Staging, extend: Command) -> Flow[None]:
    """Remove the keys that belong to no object; objects stored meanwhile stay."""
    schema, keys = staging.schema, staging.schema.keys

    def remove(page: list[bytes]) -> Flow[None]:
        pks = [key[len(keys.data_prefix) :] for key in page if keys.is_row(key)]
        work = [key for key in page if keys.is_work(key) and not keys.is_of_counter(key)]
        work = [key for key in work if key not in (keys.lock, keys.record)]
        yield from _clear_sets(staging, [key for key in page if keys.is_index(key)], extend)
        names = [keys.lock, keys.all, *work]
        if not (yield from ask(*CLEAR(names, staging.token, keys.data_prefix, *pks))):
            raise _lost(staging)

    yield from each_page(schema, remove, extend)
