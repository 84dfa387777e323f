"""Write rows by comparing: a script moves index entries only from the values that are stored.

An update sends the values that it expects to be stored. If they differ from the stored ones, the
script writes nothing and returns those, and the caller sends again. So an index never has a stale
entry, whoever else writes.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from itertools import groupby
from typing import Any, NamedTuple

from ...errors import ConflictError, ObjectGoneError, ResetInProgressError
from ..flows import Batch, Command, Flow
from ..incarnations import drawn_arguments, is_lost
from ..locking.key_types import wrong_type
from ..mapping.schema import Schema
from ..objects.state import own_state
from .acknowledging import check_acknowledged, wait_commands
from .entry import UNIQUE, Entry, Mode, expected_token, hset_arguments, is_extended
from .scripts import CHECK, STEP, WRITE
from .unique import NOTHING_WRITTEN as OF_UNIQUE
from .unique import refuse_repeats, settle_claims

__all__ = (
    'COMMITTED_STATE',
    'ROUNDS',
    'PksTaken',
    'Step',
    'UnfinishedWrite',
    'by_model',
    'check_rows',
    'compare_and_move',
    'conflict',
    'model_key',
    'row_arguments',
    'write_step',
)

# How often a write is sent if the stored values are not the expected ones. Under contention each
# round gets one writer's write through, so this is far more than needed.
ROUNDS = 200
# What a conflict says of the data, and what to do; in a step of a committed write the second.
NOTHING_WRITTEN = 'Nothing was written; try again.'
COMMITTED_STATE = (
    'The list is committed, and a part of it is written; the next write of a list, a reset or '
    'objects.repair() finishes it.'
)


class Step(NamedTuple):
    """A step of a committed write.

    :param left: the hash of the rows that are left to write
    :param token: token of its owner
    :param also: commands to send along
    """

    left: bytes
    token: bytes
    also: Sequence[Command] = ()


class UnfinishedWrite(Exception):
    """A killed process left a committed write of the model, which must be finished first."""

    def __init__(self, schema: Schema) -> None:
        super().__init__(schema.name)
        self.schema = schema


class PksTaken(Exception):
    """New objects cannot be stored under the pks that were drawn for them."""

    def __init__(self, entries: list[Entry]) -> None:
        super().__init__(entries)
        self.entries = entries


def model_key(entry: Entry) -> bytes:
    """Return the sort key of an entry's model."""
    return entry.schema.keys.all


def by_model(entries: Iterable[Entry]) -> list[list[Entry]]:
    """Return the entries of each model. They must be sorted by :func:`model_key`."""
    return [list(group) for _, group in groupby(entries, model_key)]


def compare_and_move(
    entries: list[Entry],
    gone_is_fine: bool = False,
    once: bool = False,
    still: Callable[[Entry], bool] | None = None,
    earlier: str = OF_UNIQUE,
    is_last: bool = False,
) -> Flow[list[Entry]]:
    """Write all of ``entries`` or none, and move their index entries from the stored values.

    :param gone_is_fine: leave out deleted objects, instead of raising
    :param once: raise AnswerLost if the reply is lost, instead of sending again
    :param still: whether to write a row that other values are stored for than expected
    :param earlier: what a UniqueError says of the data
    :param is_last: wait for replicas, if the models ask for it: the operation ends with this write
    :returns: the entries that were not left out
    :raises NotAcknowledgedError: if too few replicas confirm the write
    :raises ObjectGoneError: for an update of a deleted object
    :raises ResetInProgressError: for a given pk that belongs to a running reset
    :raises WrongKeyTypeError: if a key to write to holds another type
    :raises UnfinishedWrite: if a killed process left a committed write
    :raises PksTaken: if new objects need other pks
    :raises UniqueError: if another object has a unique value
    :raises ValueReserved: if another writer is about to store a unique value
    """
    leave_out = (b'gone',) if gone_is_fine else ()
    return (
        yield from _send(
            entries,
            _write_command,
            leave_out,
            once,
            still=still,
            earlier=earlier,
            wait_for={entry.schema for entry in entries} if is_last else (),
        )
    )


def _write_command(rows: list[Entry]) -> Command:
    refuse_repeats(rows)
    keys, args = row_arguments(rows, claims=True)
    return WRITE.of(is_extended(rows))(keys, *args)


def check_rows(entries: list[Entry], token: bytes) -> Flow[None]:
    """Learn the stored values, so that :func:`compare_and_move` would succeed at this moment.

    :param token: token of the caller, who holds the locks of the models
    """
    yield from _send(
        entries, lambda rows: CHECK.of(is_extended(rows))(*_keys_and_args(rows, (), (token,)))
    )


def write_step(entries: list[Entry], step: Step) -> Flow[list[Entry]]:
    """Write rows of a committed write; return the ones that were left out.

    Left out are updates of deleted objects, and new objects whose pk is in use.
    """
    left_out: list[Entry] = []

    def command(rows: list[Entry]) -> Command:
        return STEP.of(is_extended(rows))(*_keys_and_args(rows, (step.left,), (step.token,)))

    kinds = (b'gone', b'taken', b'staged', b'lost')
    yield from _send(
        entries, command, kinds, also=step.also, left_out=left_out, state=COMMITTED_STATE
    )
    return left_out


def _send(
    entries: list[Entry],
    command: Callable[[list[Entry]], Command],
    leave_out: Sequence[bytes] = (),
    once: bool = False,
    also: Sequence[Command] = (),
    left_out: list[Entry] | None = None,
    state: str = NOTHING_WRITTEN,
    still: Callable[[Entry], bool] | None = None,
    earlier: str = OF_UNIQUE,
    wait_for: Collection[Schema] = (),
) -> Flow[list[Entry]]:
    """Send rows until the script finds the expected values; return the rows that are written.

    :param leave_out: kinds of problems for which a row is left out
    :param left_out: a list that receives the rows that are left out
    :param state: the sentences of the error about the data, and what to do
    :param still: as of :func:`compare_and_move`
    :param earlier: as of :func:`compare_and_move`
    :param wait_for: the models whose replicas have to confirm the write
    """
    waits = wait_commands(wait_for) if wait_for else []
    for _ in range(ROUNDS):
        if not entries:
            return entries
        problems, *others = yield Batch([command(entries), *also, *waits], once=once)
        if not problems:
            check_acknowledged(wait_for, waits, others)
            return entries
        problems = _by_row(entries, problems)
        problems = yield from settle_claims(entries, problems, earlier)
        out = {number - 1 for number, kind, *_ in problems if kind in leave_out}
        if left_out is not None:
            left_out += (entries[i] for i in out)
        if out:
            entries = [entry for i, entry in enumerate(entries) if i not in out]
        else:
            _solve(entries, problems)
            entries = list(filter(still, entries)) if still else entries
    raise conflict(entries[0].schema, state)


def conflict(schema: Schema, state: str = NOTHING_WRITTEN) -> ConflictError:
    """Return the error of a write that was given up after ``ROUNDS``."""
    return ConflictError(
        f'{schema.name}: other writers changed the same objects {ROUNDS} times while '
        f'they were being saved. {state}'
    )


def _keys_and_args(
    entries: list[Entry], first_keys: Sequence[bytes] = (), first_args: Sequence[Any] = ()
) -> tuple[Any, ...]:
    keys, args = row_arguments(entries)
    return [*first_keys, *keys], *first_args, *args


def row_arguments(entries: list[Entry], claims: bool = False) -> tuple[list[bytes], list[Any]]:
    """Return KEYS and ARGV of rows, as a script takes them that is ``of(is_extended(entries))``.

    :param claims: whether the script checks unique values
    """
    groups, scored = by_model(entries), is_extended(entries)
    keys: list[bytes] = []
    args: list[Any] = [len(groups)]
    for mine in groups:
        own = mine[0].schema.keys
        keys += (own.all, own.next, own.lock, own.touched, own.record, own.incarnations)
        args += (*drawn_arguments((entry.drawn, entry.pk) for entry in mine), len(mine))
        for entry in mine:
            _add_row(entry, keys, args, scored, claims)
    return keys, args


def _add_row(entry: Entry, keys: list[bytes], args: list[Any], scored: bool, claims: bool) -> None:
    moves = entry.moves()
    keys.append(entry.schema.keys.data(entry.pk))
    args += (entry.pk, entry.mode, len(moves))
    for column, stored, old, new, score in moves:
        args += (column.key, expected_token(stored))
        if scored:
            args.append(b'' if score == UNIQUE and not claims else score)
        keys += (old, new)
    args += (len(entry.sent), *hset_arguments(entry))


def _by_row(entries: list[Entry], problems: list[Any]) -> list[Any]:
    """Return problems with lost pks row by row: an object that was stored under one is gone."""
    found: list[Any] = []
    lost: set[int] = set()
    for number, kind, *details in problems:
        if kind != b'lost':
            found.append((number, kind, *details))
            continue
        mine = model_key(entries[number - 1])
        for i, entry in enumerate(entries, 1):
            if model_key(entry) == mine and is_lost(details[0], entry.drawn, entry.pk):
                lost.add(i)
    kinds = {i: b'gone' if entries[i - 1].mode == Mode.UPDATE else b'lost' for i in sorted(lost)}
    return [*found, *kinds.items()]


def _solve(entries: list[Entry], problems: list[Any]) -> None:
    """Adapt the entries to the problems that a script returned, for the next round.

    :raises ObjectGoneError: for an update of a deleted object
    :raises PksTaken: if new objects need other pks
    """
    taken: list[Entry] = []
    for number, kind, *details in problems:
        entry = entries[number - 1]
        if kind == b'type':
            raise wrong_type(entry.schema, *details)
        if kind == b'unfinished':
            raise UnfinishedWrite(entry.schema)
        if kind == b'gone':
            raise ObjectGoneError(
                f'{entry.schema.name}: the object with pk {entry.pk} is not stored any more; it '
                'was deleted, replaced by a reset, or lost in a failover. Nothing was written. '
                'Save obj.copy() to store it anew.'
            )
        if kind == b'staged' and entry.mode == Mode.INSERT:
            if own_state(entry.obj).attempt is not None:
                # An earlier attempt of this save committed the row; it must be finished first.
                raise UnfinishedWrite(entry.schema)
            taken.append(entry)
        elif kind == b'staged':
            raise ResetInProgressError(
                f'{entry.schema.name}: pk {entry.pk} belongs to a reset that is under way, so '
                'nothing was written. Try again when it is done.'
            )
        elif kind == b'stale':
            entry.learn(details[0])
        elif kind == b'lost' or own_state(entry.obj).attempt is None:
            taken.append(entry)
        else:
            _expect_attempt(entry)
    if taken:
        raise PksTaken(taken)


def _expect_attempt(entry: Entry) -> None:
    """Adapt an entry that an earlier attempt of its save has stored."""
    attempt = own_state(entry.obj).attempt
    assert attempt is not None
    # Send the differences to that attempt, so that changes of others stay.
    before = attempt[1]
    entry.mode = Mode.UPDATE
    entry.sent = {name: new for name, new in entry.written.items() if before[name] != new}
    entry.expected = {name: before[name] for name in entry.schema.compared(entry.sent)}
