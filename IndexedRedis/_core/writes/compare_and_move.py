"""Writing rows by comparing: index entries are moved from what is really stored.

An update tells what it believes to be stored; where that is wrong, the script writes nothing and
answers with the real values, and the caller sends again. So an index never keeps a stale entry,
whoever else writes.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby
from typing import Any

from ...errors import ConflictError, ObjectGoneError, ResetInProgressError
from ..flows import Batch, Command, Flow, ask
from ..objects.state import own_state
from .entry import INSERT, UPDATE, Entry, expected_token, pairs
from .insert_scripts import UPDATE_ONE
from .key_types import wrong_type
from .pks import give_pks
from .scripts import WRITE

__all__ = (
    'FEW_FIELDS',
    'ROUNDS',
    'by_model',
    'compare_and_move',
    'model_key',
    'row_arguments',
    'update_one',
)

# Under contention each round gets somebody's write through, so this is far more than needed.
ROUNDS = 200
# So many pass through Lua in one command.
FEW_FIELDS = 500


def model_key(entry: Entry) -> bytes:
    """What tells the models of entries apart, and puts them in order."""
    return entry.schema.keys.all


def by_model(entries: Iterable[Entry]) -> list[list[Entry]]:
    """The entries of each model; they have to be in that order already."""
    return [list(group) for _, group in groupby(entries, model_key)]


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


def update_one(entry: Entry) -> Flow[bool]:
    """Write what has changed of one object, if all is as expected; returns whether it was.

    Takes the server a third of the time of :func:`compare_and_move`.
    """
    moves, own = entry.moves(), entry.schema.keys
    if len(entry.sent) > FEW_FIELDS or not all(type(stored) is bytes for _, stored, *_ in moves):
        return False
    keys = [own.all, own.lock, own.touched, own.data(entry.pk)]
    args: list[Any] = [entry.pk, len(moves)]
    for column, stored, old, new in moves:
        keys += (old, new)
        args += (column.key, stored)
    return bool((yield from ask(*UPDATE_ONE(keys, *args, *pairs(entry)))))


def _write_command(entries: list[Entry]) -> Command:
    keys, args = row_arguments(entries)
    return WRITE(keys, *args)


def row_arguments(entries: list[Entry]) -> tuple[list[bytes], list[Any]]:
    """The keys and arguments by which a script is told of rows; those of one model together."""
    groups = by_model(entries)
    keys: list[bytes] = []
    args: list[Any] = [len(groups)]
    for mine in groups:
        own = mine[0].schema.keys
        keys += (own.all, own.next, own.lock, own.touched)
        args.append(len(mine))
        for entry in mine:
            _add_row(entry, keys, args)
    return keys, args


def _add_row(entry: Entry, keys: list[bytes], args: list[Any]) -> None:
    moves = entry.moves()
    keys.append(entry.schema.keys.data(entry.pk))
    args += (entry.pk, entry.mode, len(moves))
    for column, stored, old, new in moves:
        args += (column.key, expected_token(stored))
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
        if kind == b'staged' and entry.mode == INSERT:
            yield from give_pks([entry])
        elif kind == b'staged':
            raise ResetInProgressError(
                f'{entry.schema.name}: pk {entry.pk} belongs to a reset that is under way, so '
                'nothing was written. Try again when it is done.'
            )
        elif kind == b'stale':
            entry.learn(details[0])
        else:
            yield from _solve_taken(entry)


def _solve_taken(entry: Entry) -> Flow[None]:
    """The reserved pk is in use: by an earlier attempt of this very save, or by a stranger."""
    attempt = own_state(entry.obj).attempt
    if attempt is None:
        yield from give_pks([entry])
        return
    # It was stored then; what others changed since is theirs.
    before = attempt[1]
    entry.mode = UPDATE
    entry.sent = {name: new for name, new in entry.written.items() if before[name] != new}
    entry.expected = {name: before[name] for name in entry.expected if name in entry.sent}
