"""The flows that store objects.

Encoding comes first, so that a value without a stored form stops everything before the first
write. New pks are reserved in a trip of their own and remembered by the object until the save is
known to have worked: whoever tries again after a lost reply writes to the same place. Updates are
compare-and-move: the script moves index entries only if the stored values are what the caller
believes, else it answers with the real ones and the caller sends again. What an object knows of
itself changes only after the server has said yes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from ..errors import ConflictError, ObjectGoneError, UsageError, WrongKeyTypeError
from .column import Column
from .plan import AnswerLost, Batch, Command, Flow, ask, chunks
from .schema import Schema
from .scripts import OTHER_TYPE, RESERVE, TOUCH, WRITE
from .state import UNKNOWN, believed, confirm, current_bytes, is_changed, own_state

__all__ = ('INSERT', 'PUT', 'UPDATE', 'Entry', 'plan_entry', 'save')

INSERT, UPDATE, PUT = 'insert', 'update', 'put'

# Under contention each round gets somebody's write through, so this is far more than needed.
ROUNDS = 200
# Members of one SADD, pks of one script: bounds what a single command does.
GROUP = 1000


class Entry:
    """One row on its way to the server.

    :param pk: where it goes; None until a pk is reserved
    :param mode: ``INSERT``, ``UPDATE`` or ``PUT`` (either)
    :param written: stored bytes by field; ``sent``: those that the server does not have yet
    :param beliefs: what is believed to be stored in the indexed fields concerned
    :param obj: the object, if it is one that is being saved
    """

    __slots__ = ('beliefs', 'mode', 'obj', 'pk', 'sent', 'values', 'written')

    def __init__(
        self,
        pk: Any,
        mode: str,
        written: dict[str, bytes],
        beliefs: dict[str, Any],
        obj: Any = None,
    ) -> None:
        self.pk, self.mode, self.written, self.beliefs = pk, mode, written, beliefs
        self.sent, self.obj = written, obj
        # What the bytes were made of: an attribute assigned meanwhile stays changed.
        self.values = {name: obj.__dict__.get(name) for name in written} if obj is not None else {}

    def index_keys(self, schema: Schema) -> list[bytes]:
        """The index sets that are to hold the object."""
        return [
            schema.keys.index(
                schema.columns[name].key,
                schema.columns[name].index_of_stored(self.written.get(name, stored)),
            )
            for name, stored in self.beliefs.items()
        ]


def entry_of(obj: Any, pk: int | None, mode: str, columns: Iterable[Column]) -> Entry:
    """Encode these columns of an object.

    :raises FieldValueError: if a value has no stored form
    """
    columns = list(columns)
    written = {column.name: current_bytes(obj, column) for column in columns}
    indexed = (column for column in columns if column.indexed)
    beliefs = {c.name: believed(obj, c) if mode == UPDATE else None for c in indexed}
    return Entry(pk, mode, written, beliefs, obj)


def belief(stored: Any) -> bytes:
    """Return how a script is told what is believed to be stored."""
    if stored is UNKNOWN:
        return b'?'
    return b'-' if stored is None else b'=' + stored


def plan_entry(schema: Schema, obj: Any, forced_pk: int | None = None) -> Entry | None:
    """Encode what has to be stored of ``obj``; None if nothing changed.

    :raises UsageError: if it is no object of the model
    :raises FieldValueError: if a value has no stored form
    """
    check_model(schema, obj)
    if forced_pk is not None:
        return entry_of(obj, forced_pk, PUT, schema.all)
    if obj._id is None:
        return entry_of(obj, None, INSERT, schema.all)
    if not obj._state.stored:
        return entry_of(obj, obj._id, PUT, (c for c in schema.all if obj._state.knows(c.name)))
    changed = [column for column in schema.all if is_changed(obj, column)]
    return entry_of(obj, obj._id, UPDATE, changed) if changed else None


def check_model(schema: Schema, obj: Any) -> None:
    """Make sure that ``obj`` belongs to the model, or to one that it is a variant of.

    :raises UsageError: if it does not
    """
    related = isinstance(obj, schema.cls) or issubclass(schema.cls, type(obj))
    # A subclass under a KEY_NAME of its own is another model: its pks mean other objects.
    if not related or obj.KEY_NAME != schema.cls.KEY_NAME:
        raise UsageError(f'{schema.name}: {obj!r} is no object of {schema.name}.')


def check_distinct(schema: Schema, objs: Sequence[Any], pks: Iterable[int | None]) -> None:
    """Make sure that no object and no pk is listed twice: which of the two should win?

    :raises UsageError: naming the first that is
    """
    if len({id(obj) for obj in objs}) != len(objs):
        raise UsageError(f'{schema.name}: the same object is listed twice; give each once.')
    seen = set()
    for pk in pks:
        if pk is not None and pk in seen:
            raise UsageError(f'{schema.name}: two objects with pk {pk} are listed; give one.')
        seen.add(pk)


def save(schema: Schema, objs: Sequence[Any], forced: Sequence[int | None]) -> Flow[list[int]]:
    """Store all of ``objs``, or none.

    :param forced: for each object the pk to store it under, or None
    :returns: the pks, in order
    """
    planned = [plan_entry(schema, obj, pk) for obj, pk in zip(objs, forced, strict=True)]
    entries = [entry for entry in planned if entry is not None]
    check_distinct(schema, objs, (entry.pk for entry in entries))
    if entries:
        yield from _write(schema, entries)
    return [obj._id for obj in objs]


def _write(schema: Schema, entries: list[Entry]) -> Flow[None]:
    resumed = [entry for entry in entries if entry.mode == INSERT and own_state(entry.obj).attempt]
    for entry in resumed:
        entry.pk = own_state(entry.obj).attempt[0]  # type: ignore[index]
    fresh = [entry for entry in entries if entry.mode == INSERT and entry.pk is None]
    yield from _assign_pks(schema, fresh, above=highest(e.pk for e in entries if e.mode == PUT))
    try:
        if len(fresh) == len(entries) > 1:
            yield from _insert_all(schema, entries)
        else:
            yield from compare_and_move(schema, entries, once=bool(fresh))
    except AnswerLost:
        _note_attempt(entries)
        yield from compare_and_move(schema, entries)
    except BaseException:
        _note_attempt(entries)
        raise
    for entry in entries:
        confirm(entry.obj, entry.pk, entry.written, entry.values, schema.columns)


def _note_attempt(entries: list[Entry]) -> None:
    """They may have been stored or not: the next attempt goes to the same pks."""
    for entry in entries:
        earlier = entry.obj._state.attempt
        if earlier is not None:
            row = {
                name: new if earlier[1][name] == new else UNKNOWN
                for name, new in entry.written.items()
            }
            entry.obj._state.attempt = (entry.pk, row)
        elif entry.mode == INSERT:
            own_state(entry.obj).attempt = (entry.pk, entry.written)


def highest(pks: Iterable[int]) -> int:
    """Return the highest of these pks, 0 if there is none."""
    return max(pks, default=0)


def _assign_pks(schema: Schema, fresh: list[Entry], above: int = 0) -> Flow[None]:
    if fresh:
        first = yield from reserve(schema, len(fresh), above)
        for pk, entry in enumerate(fresh, first):
            entry.pk = pk


def reserve(schema: Schema, count: int, above: int = 0) -> Flow[int]:
    """Reserve ``count`` pks that nobody has; returns the first.

    :param above: the highest of the pks that are about to be used besides
    :raises WrongKeyTypeError: if the counter, or the set of all pks, is something else
    """
    keys = schema.keys
    answer = yield from ask(*RESERVE([keys.next, keys.all], count, above))
    if isinstance(answer, list):
        raise wrong_type(schema, *answer)
    return int(answer)


def _insert_all(schema: Schema, entries: list[Entry]) -> Flow[None]:
    """Many new objects in one MULTI: plain commands, since nobody else knows their pks yet."""
    commands = [_hset(schema, entry) for entry in entries]
    grouped: dict[bytes, list[int]] = {schema.keys.all: [entry.pk for entry in entries]}
    for entry in entries:
        for key in entry.index_keys(schema):
            grouped.setdefault(key, []).append(entry.pk)
    yield from check_types(schema, list(grouped))
    touched = TOUCH.inline([schema.keys.lock, schema.keys.touched, *grouped])
    yield Batch([*commands, *sadds(grouped.items()), touched], atomic=True, once=True)


def _hset(schema: Schema, entry: Entry) -> Command:
    return ('HSET', schema.keys.data(entry.pk), *pairs(schema, entry.written))


def pairs(schema: Schema, written: dict[str, bytes]) -> Iterator[bytes]:
    """The fields and values of a row, as HSET takes them."""
    for name, stored in written.items():
        yield schema.columns[name].key
        yield stored


def sadds(grouped: Iterable[tuple[bytes, list[int]]]) -> Iterator[Command]:
    """One SADD for each set, or for each thousand of its members."""
    for key, pks in grouped:
        for group in chunks(pks, GROUP):
            yield ('SADD', key, *group)


def check_types(schema: Schema, keys: Sequence[bytes], kind: bytes = b'set') -> Flow[None]:
    """Make sure that keys about to be written are of a type, or not there.

    :raises WrongKeyTypeError: naming the first that is of another
    """
    for group in chunks(keys, GROUP):
        wrong = yield from ask(*OTHER_TYPE(group, kind))
        if wrong:
            raise wrong_type(schema, *wrong)


def wrong_type(schema: Schema, key: bytes, kind: bytes) -> WrongKeyTypeError:
    return WrongKeyTypeError(
        f'{schema.name}: the key {key!r} holds a {kind.decode()}, which this library never stores '
        'there, so nothing was written. Find out who wrote it, then rename or delete the key.'
    )


def compare_and_move(
    schema: Schema, entries: list[Entry], gone_is_fine: bool = False, once: bool = False
) -> Flow[None]:
    """Write all of ``entries`` or none, moving index entries from what is really stored.

    :param gone_is_fine: leave out objects that are not stored any more, instead of raising
    :param once: raise AnswerLost instead of sending again where it is not known what happened
    :raises ObjectGoneError: for an update of an object that is not stored any more
    :raises WrongKeyTypeError: if a key to write to holds another type
    """
    for _ in range(ROUNDS):
        (problems,) = yield Batch([_write_command(schema, entries)], once=once)
        if not problems:
            return
        if gone_is_fine:
            gone = {number - 1 for number, kind, *_ in problems if kind == b'gone'}
            entries = [entry for i, entry in enumerate(entries) if i not in gone]
            if gone:
                continue
        yield from _solve(schema, entries, problems)
    raise ConflictError(
        f'{schema.name}: other writers changed the same objects {ROUNDS} times while they were '
        'being saved. Nothing was written; try again.'
    )


def _write_command(schema: Schema, entries: list[Entry]) -> Command:
    keys = [schema.keys.all, schema.keys.next, schema.keys.lock, schema.keys.touched]
    args: list[Any] = [len(entries)]
    for entry in entries:
        keys.append(schema.keys.data(entry.pk))
        args += (entry.pk, entry.mode, len(entry.beliefs))
        new_keys = entry.index_keys(schema)
        for (name, stored), new in zip(entry.beliefs.items(), new_keys, strict=True):
            column = schema.columns[name]
            args += (column.key, belief(stored))
            keys += (old_index_key(schema, column, stored, new, entry.mode), new)
        args += (len(entry.sent), *pairs(schema, entry.sent))
    return WRITE(keys, *args)


def old_index_key(
    schema: Schema, column: Column, stored: Any, new: bytes, mode: str = UPDATE
) -> bytes:
    """The index set to leave; ``new`` where there is none."""
    if stored is UNKNOWN or (stored is None and mode == INSERT):
        return new
    return schema.keys.index(column.key, column.index_of_stored(stored))


def _solve(schema: Schema, entries: list[Entry], problems: list[Any]) -> Flow[None]:
    """Take in what the script found to be otherwise, so that the next round fits.

    :raises ObjectGoneError: for an update of an object that is not stored any more
    """
    for number, kind, *details in problems:
        if kind == b'type':
            raise wrong_type(schema, *details)
        entry = entries[number - 1]
        if kind == b'gone':
            raise ObjectGoneError(
                f'{schema.name}: the object with pk {entry.pk} is not stored any more; it was '
                'deleted, or replaced by a reset. Nothing was written. Save obj.copy() to store '
                'it anew.'
            )
        if kind == b'stale':
            entry.beliefs = dict(zip(entry.beliefs, details[0], strict=True))
        else:
            yield from _solve_taken(schema, entry)


def _solve_taken(schema: Schema, entry: Entry) -> Flow[None]:
    """The reserved pk is in use: by an earlier attempt of this very save, or by a stranger."""
    attempt = own_state(entry.obj).attempt
    if attempt is None:
        yield from _assign_pks(schema, [entry])
        return
    # It was stored then; what others changed since is theirs.
    before = attempt[1]
    entry.mode = UPDATE
    entry.sent = {name: new for name, new in entry.written.items() if before[name] != new}
    entry.beliefs = {name: before[name] for name in entry.beliefs if name in entry.sent}
