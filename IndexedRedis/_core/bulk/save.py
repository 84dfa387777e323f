"""Save objects: a short list by one script, a long one in steps.

The script that stores a single new object draws its pk. Other new objects get their pks in a round
trip of its own. An object remembers its pk, or the draw of it, until the server has confirmed the
save, so a retry after a lost reply uses the same pk. The state of an object changes only after that
confirmation.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from ..flows import AnswerLost, Flow
from ..mapping.schema import Schema
from ..objects.graph import schema_of
from ..objects.state import UNKNOWN, confirm, own_state
from ..writes import sizes
from ..writes.arguments import check_distinct
from ..writes.compare_and_move import (
    ROUNDS,
    PksTaken,
    by_model,
    compare_and_move,
    conflict,
    model_key,
)
from ..writes.entry import Entry, Mode, Reserved, plan_entry
from ..writes.inserts.draws import Draw
from ..writes.inserts.insert import Draft, insert_all
from ..writes.inserts.insert_one import insert_one, may_insert_one
from ..writes.inserts.pks import give_pks, highest, resolve
from ..writes.update_one import update_one
from .unfinished import recovering

__all__ = ('save_all',)

# Gives the schema of an object.
Place = Callable[[Any], Schema]


def save_all(
    objs: Sequence[Any],
    forced: Sequence[int | None] = (),
    targets: Sequence[Any] = (),
    place: Place = schema_of,
) -> Flow[None]:
    """Store all of ``objs`` and ``targets``, or none; of any models on one server.

    Links among them are stored with the pks that their targets get here.

    :param forced: for each of ``objs`` the pk to store it under, or None; empty: None for all
    :param targets: objects to store too, since links lead to them
    :param place: gives the schema of an object, whose keys say where to store it
    """
    whole = [*targets, *objs]
    if forced.count(None) == len(forced) and all(map(_was_never_tried, whole)):
        if whole:
            yield from _insert(objs, targets, dict.fromkeys(map(id, whole), 0), place)
        return
    pks = [*([None] * len(targets)), *(forced or [None] * len(objs))]
    every = list(zip(whole, pks, strict=True))
    new = {id(obj): 0 if pk is None else pk for obj, pk in every if pk is not None or not obj._id}
    planned = [plan_entry(place(obj), obj, pk, new) for obj, pk in every]
    if len(planned) == 1:
        yield from _write([entry for entry in planned if entry is not None])
        return
    listed = sorted(
        (entry for entry in planned[len(targets) :] if entry is not None), key=model_key
    )
    for mine in by_model(listed):
        check_distinct(mine[0].schema, [e.obj for e in mine], (e.pk for e in mine))
    yield from _write(sorted((entry for entry in planned if entry is not None), key=model_key))


def _was_never_tried(obj: Any) -> bool:
    return obj._id is None and obj._state.attempt is None


def _insert(objs: Sequence[Any], targets: Sequence[Any], new: Reserved, place: Place) -> Flow[None]:
    for schema, mine in _by_schema(objs, place) if len(objs) > 1 else ():
        check_distinct(schema, mine, ())
    every = _by_schema([*targets, *objs], place)
    drafts = [Draft(schema, mine, new) for schema, mine in every]
    if len(drafts) == 1 and may_insert_one(drafts[0]):
        storing = insert_one(drafts[0])
    else:
        yield from _draw_pks(drafts)
        storing = _insert_drafts(drafts)
    try:
        inserted = yield from storing
    except AnswerLost:
        entries = _entries(drafts)
        _note_attempt(entries)
        yield from _write(entries)
    except BaseException:
        _note_attempt(_entries(drafts))
        raise
    else:
        if inserted:
            for draft in drafts:
                draft.confirm()
        else:
            yield from _store(_entries(drafts), once=True)


def _draw_pks(drafts: Sequence[Draft]) -> Flow[None]:
    """Draw the pks of all objects, and encode the links among them."""
    for draft in drafts:
        yield from draft.draw_pks()
    if any(draft.schema.links for draft in drafts):
        pairs = (pair for draft in drafts for pair in zip(draft.objs, draft.pks, strict=True))
        pks = {id(obj): pk for obj, pk in pairs}
        for draft in drafts:
            draft.relink(pks)


def _insert_drafts(drafts: Sequence[Draft]) -> Flow[bool]:
    """Store the objects, those of a long list in steps; return whether they are stored."""
    if sum(draft.us for draft in drafts) <= sizes.SCRIPT_US:
        return (yield from insert_all(drafts))
    from .insert import insert_many  # saves a twentieth of this package's import time

    return (yield from insert_many(drafts))


def _by_schema(objs: Iterable[Any], place: Place) -> list[tuple[Schema, list[Any]]]:
    groups: dict[Schema, list[Any]] = {}
    for obj in objs:
        groups.setdefault(place(obj), []).append(obj)
    return sorted(groups.items(), key=lambda group: group[0].keys.all)


def _entries(drafts: Sequence[Draft]) -> list[Entry]:
    return sorted((entry for draft in drafts for entry in draft.entries()), key=model_key)


def _write(entries: list[Entry]) -> Flow[None]:
    if not entries:
        return
    if len(entries) == 1 and entries[0].mode == Mode.UPDATE and not entries[0].schema.links:
        (entry,) = entries
        if (yield from update_one(entry)):
            _confirm(entry)
        else:
            yield from _store(entries)
        return
    fresh: list[Entry] = []
    for mine in by_model(entries):
        fresh += yield from _assign_pks(mine)
    _relink(entries)
    yield from _store(entries, once=bool(fresh))


def _relink(entries: list[Entry]) -> None:
    reserved = {id(entry.obj): entry.pk for entry in entries}
    for entry in entries:
        entry.relink(reserved)


def _store(entries: list[Entry], once: bool = False) -> Flow[None]:
    """Write entries that have their pks.

    :param once: whether no attempt to store under some of the pks was made
    """
    try:
        yield from _write_rows(entries, once)
    except AnswerLost:
        _note_attempt(entries)
        yield from _write_rows(entries)
    except BaseException:
        _note_attempt(entries)
        raise
    for entry in entries:
        _confirm(entry)


def _write_rows(entries: list[Entry], once: bool = False) -> Flow[None]:
    """Write entries; draw other pks for new objects whose pks cannot be used."""
    for _ in range(ROUNDS):
        try:
            yield from _write_all(_rows(entries), once)
            return
        except PksTaken as taken:
            others = taken.entries
        for mine in by_model(others):
            for entry in mine:
                own_state(entry.obj).attempt = entry.pk = None
            yield from give_pks(mine)
        _relink(entries)
    raise conflict(entries[0].schema)


def _write_all(rows: list[Entry], once: bool) -> Flow[None]:
    """Write rows by one script, or in steps if one script would take too long."""
    if sum(entry.us for entry in rows) <= sizes.SCRIPT_US:
        yield from recovering(lambda: compare_and_move(rows, once=once, is_last=True))
    else:
        from .steps import write_in_steps  # saves import time, as above

        yield from write_in_steps(rows)


def _confirm(entry: Entry) -> None:
    confirm(entry.obj, entry.pk, entry.written, entry.values, entry.schema.columns, entry.drawn)


def _rows(entries: list[Entry]) -> list[Entry]:
    """Return one entry for each row. Links may lead to several objects of a row; the last wins."""
    rows: dict[bytes, Entry] = {}
    for entry in entries:
        key = entry.schema.keys.data(entry.pk)
        rows[key] = entry.after(rows[key]) if key in rows else entry
    return list(rows.values())


def _note_attempt(entries: list[Entry]) -> None:
    """Note that entries may be stored, so that the next attempt uses the same pks."""
    for entry in entries:
        earlier = entry.obj._state.attempt
        if earlier is not None:
            row = {
                name: new if earlier[1][name] == new else UNKNOWN
                for name, new in entry.written.items()
            }
            entry.obj._state.attempt = (entry.pk, row)
        elif entry.mode == Mode.INSERT and entry.pk is not None:
            state = own_state(entry.obj)
            state.attempt, state.drawn = (entry.pk, entry.written), entry.drawn


def _assign_pks(entries: list[Entry]) -> Flow[list[Entry]]:
    """Give new objects of one model their pks; after an unknown outcome an object keeps its pk.

    :returns: the entries that got a pk here
    """
    inserts = [entry for entry in entries if entry.mode == Mode.INSERT]
    for entry in inserts:
        state = own_state(entry.obj)
        if state.attempt is None:
            continue
        tried, row = state.attempt
        if isinstance(tried, Draw):
            tried, state.drawn = yield from resolve(entry.schema, tried)
            state.attempt = tried, row
        entry.pk, entry.drawn = tried, state.drawn
    fresh = [entry for entry in inserts if entry.pk is None]
    # A reset of 6.0.3 may have set the counter back below the pk of an old object of the list.
    above = highest(entry.pk for entry in entries if entry.pk is not None)
    yield from give_pks(fresh, above)
    return fresh
