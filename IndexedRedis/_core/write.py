"""The flows that store objects.

New pks are reserved in a trip of their own and remembered by the object until the save is known to
have worked: whoever tries again after a lost reply writes to the same place. Updates are
compare-and-move: the script moves index entries only if the stored values are what the caller
believes, else it answers with the real ones and the caller sends again. What an object knows of
itself changes only after the server has said yes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import Any

from ..errors import ConflictError, ObjectGoneError, ResetInProgressError, WrongKeyTypeError
from .entry import INSERT, PUT, UPDATE, Entry, belief, check_distinct, pairs, plan_entry
from .plan import AnswerLost, Batch, Command, Flow, ask, chunks
from .schema import Schema
from .scripts import OTHER_TYPE, RESERVE, TOUCH, WRITE
from .state import UNKNOWN, confirm, own_state

__all__ = ('check_types', 'compare_and_move', 'reserve', 'save_all')

# Under contention each round gets somebody's write through, so this is far more than needed.
ROUNDS = 200
# Members of one SADD, pks of one script: bounds what a single command does.
GROUP = 1000


def save_all(
    objs: Sequence[Any], forced: Sequence[int | None] = (), targets: Sequence[Any] = ()
) -> Flow[None]:
    """Store all of ``objs`` and ``targets``, or none; of any models on one server.

    Links among them are stored with the pks that their targets get here.

    :param forced: for each of ``objs`` the pk to store it under, or None; empty means all None
    :param targets: what is stored along, since links lead to it
    """
    pks = [*([None] * len(targets)), *(forced or [None] * len(objs))]
    every = list(zip([*targets, *objs], pks, strict=True))
    new = {id(obj): 0 if pk is None else pk for obj, pk in every if pk is not None or not obj._id}
    planned = [plan_entry(obj, pk, new) for obj, pk in every]
    listed = sorted((entry for entry in planned[len(targets) :] if entry is not None), key=_model)
    for mine in by_model(listed):
        check_distinct(mine[0].schema, [e.obj for e in mine], (e.pk for e in mine))
    entries = sorted((entry for entry in planned if entry is not None), key=_model)
    if entries:
        yield from _write(entries)


def _model(entry: Entry) -> bytes:
    return entry.schema.keys.all


def by_model(entries: Iterable[Entry]) -> list[list[Entry]]:
    """The entries of each model; they have to be in that order already."""
    return [list(group) for _, group in groupby(entries, _model)]


def _write(entries: list[Entry]) -> Flow[None]:
    fresh: list[Entry] = []
    for mine in by_model(entries):
        fresh += yield from _assign_pks(mine)
    reserved = {id(entry.obj): entry.pk for entry in entries}
    for entry in entries:
        entry.relink(reserved)
    rows = _rows(entries)
    try:
        if len(fresh) == len(entries) > 1:
            yield from _insert_all(entries)
        else:
            yield from compare_and_move(rows, once=bool(fresh))
    except AnswerLost:
        _note_attempt(entries)
        yield from compare_and_move(rows)
    except BaseException:
        _note_attempt(entries)
        raise
    for entry in entries:
        confirm(entry.obj, entry.pk, entry.written, entry.values, entry.schema.columns)


def _rows(entries: list[Entry]) -> list[Entry]:
    """One entry for each row: links may lead to several handles of it, of which the last wins."""
    rows: dict[bytes, Entry] = {}
    for entry in entries:
        key = entry.schema.keys.data(entry.pk)
        rows[key] = entry.after(rows[key]) if key in rows else entry
    return list(rows.values())


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


def _assign_pks(entries: list[Entry]) -> Flow[list[Entry]]:
    """Give new objects of one model their pks; after an unknown outcome they keep theirs.

    Returns the ones that have a pk which nobody has seen yet.
    """
    inserts = [entry for entry in entries if entry.mode == INSERT]
    for entry in inserts:
        attempt = own_state(entry.obj).attempt
        entry.pk = None if attempt is None else attempt[0]
    fresh = [entry for entry in inserts if entry.pk is None]
    above = highest(entry.pk for entry in entries if entry.mode == PUT)
    yield from _give_pks(fresh, above)
    return fresh


def _give_pks(fresh: list[Entry], above: int = 0) -> Flow[None]:
    if fresh:
        first = yield from reserve(fresh[0].schema, len(fresh), above)
        for pk, entry in enumerate(fresh, first):
            entry.pk = pk


def highest(pks: Iterable[int]) -> int:
    """Return the highest of these pks, 0 if there is none."""
    return max(pks, default=0)


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


def _insert_all(entries: list[Entry]) -> Flow[None]:
    """Many new objects in one MULTI: plain commands, since nobody else knows their pks yet."""
    commands: list[Command] = []
    for mine in by_model(entries):
        schema = mine[0].schema
        grouped: dict[bytes, list[int]] = {schema.keys.all: [entry.pk for entry in mine]}
        for entry in mine:
            commands.append(('HSET', schema.keys.data(entry.pk), *pairs(entry)))
            for key in entry.index_keys():
                grouped.setdefault(key, []).append(entry.pk)
        yield from check_types(schema, list(grouped))
        commands += sadds(grouped.items())
        commands.append(TOUCH.inline([schema.keys.lock, schema.keys.touched, *grouped]))
    yield Batch(commands, atomic=True, once=True)


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
    """The error for a key of the model that holds something else."""
    return WrongKeyTypeError(
        f'{schema.name}: the key {key!r} holds a {kind.decode()}, which this library never stores '
        'there, so nothing was written. Find out who wrote it, then rename or delete the key.'
    )


def compare_and_move(
    entries: list[Entry], gone_is_fine: bool = False, once: bool = False
) -> Flow[None]:
    """Write all of ``entries`` or none, moving index entries from what is really stored.

    :param gone_is_fine: leave out objects that are not stored any more, instead of raising
    :param once: raise AnswerLost instead of sending again where it is not known what happened
    :raises ObjectGoneError: for an update of an object that is not stored any more
    :raises ResetInProgressError: for a given pk that a running reset has taken
    :raises WrongKeyTypeError: if a key to write to holds another type
    """
    for _ in range(ROUNDS):
        (problems,) = yield Batch([_write_command(entries)], once=once)
        if not problems:
            return
        if gone_is_fine:
            gone = {number - 1 for number, kind, *_ in problems if kind == b'gone'}
            entries = [entry for i, entry in enumerate(entries) if i not in gone]
            if gone:
                continue
        yield from _solve(entries, problems)
    raise ConflictError(
        f'{entries[0].schema.name}: other writers changed the same objects {ROUNDS} times while '
        'they were being saved. Nothing was written; try again.'
    )


def _write_command(entries: list[Entry]) -> Command:
    groups = by_model(entries)
    keys: list[bytes] = []
    args: list[Any] = [len(groups)]
    for mine in groups:
        own = mine[0].schema.keys
        keys += (own.all, own.next, own.lock, own.touched)
        args.append(len(mine))
        for entry in mine:
            _add_row(entry, keys, args)
    return WRITE(keys, *args)


def _add_row(entry: Entry, keys: list[bytes], args: list[Any]) -> None:
    moves = entry.moves()
    keys.append(entry.schema.keys.data(entry.pk))
    args += (entry.pk, entry.mode, len(moves))
    for column, stored, old, new in moves:
        args += (column.key, belief(stored))
        keys += (old, new)
    args += (len(entry.sent), *pairs(entry))


def _solve(entries: list[Entry], problems: list[Any]) -> Flow[None]:
    """Take in what the script found to be otherwise, so that the next round fits.

    :raises ObjectGoneError: for an update of an object that is not stored any more
    """
    for number, kind, *details in problems:
        entry = entries[number - 1]
        if kind == b'type':
            raise wrong_type(entry.schema, *details)
        if kind == b'gone':
            raise ObjectGoneError(
                f'{entry.schema.name}: the object with pk {entry.pk} is not stored any more; it '
                'was deleted, or replaced by a reset. Nothing was written. Save obj.copy() to '
                'store it anew.'
            )
        if kind == b'staged':
            raise ResetInProgressError(
                f'{entry.schema.name}: pk {entry.pk} belongs to a reset that is under way, so '
                'nothing was written. Try again when it is done.'
            )
        if kind == b'stale':
            entry.learn(details[0])
        else:
            yield from _solve_taken(entry)


def _solve_taken(entry: Entry) -> Flow[None]:
    """The reserved pk is in use: by an earlier attempt of this very save, or by a stranger."""
    attempt = own_state(entry.obj).attempt
    if attempt is None:
        yield from _give_pks([entry])
        return
    # It was stored then; what others changed since is theirs.
    before = attempt[1]
    entry.mode = UPDATE
    entry.sent = {name: new for name, new in entry.written.items() if before[name] != new}
    entry.beliefs = {name: before[name] for name in entry.beliefs if name in entry.sent}
