"""What an object knows of its stored form.

Nothing is copied when an object is loaded. Immutable values leave a note of the old one when they
are assigned; for mutable ones the stored bytes are the snapshot, compared only when somebody asks
what changed. An object that was fetched, or made, and never touched has no state of its own at all:
the shared ``LOADED``, or ``FRESH``, speaks for it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ...errors import FieldValueError, UnreadableValueError
from ..column import EMPTY, Column
from .graph import schema_of

__all__ = ('FRESH', 'LOADED', 'PENDING', 'UNKNOWN', 'State', 'own_state')


class _Mark:
    """A named singleton that survives copies and pickling."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __reduce__(self) -> str:
        return self._name

    def __repr__(self) -> str:
        return self._name


# An old value that is still undecoded, or the default where nothing was stored.
PENDING = _Mark('PENDING')
# An old value, or stored bytes, that this process has never seen.
UNKNOWN = _Mark('UNKNOWN')


class State:
    """The stored form of one object, as far as this process has seen it.

    ``stored``: it was fetched or saved. ``changed``: old values of assigned fields.
    ``raw``: stored bytes not yet decoded, and those of mutable fields (``None``: absent).
    ``fetched``: the fields of a partial object, else ``None``. ``attempt``: the pk and row of a
    save whose outcome is not known (``UNKNOWN`` where two such saves differ).
    """

    __slots__ = ('attempt', 'changed', 'fetched', 'raw', 'stored')

    def __init__(
        self,
        stored: bool = False,
        raw: dict[str, bytes | None] | None = None,
        fetched: frozenset[str] | None = None,
    ) -> None:
        self.stored = stored
        self.changed: dict[str, Any] = {}
        self.raw: dict[str, bytes | None] = {} if raw is None else raw
        self.fetched = fetched
        self.attempt: tuple[int, dict[str, Any]] | None = None

    def knows(self, name: str) -> bool:
        """Whether the field's value was fetched, saved or assigned, and is no mere default."""
        return self.fetched is None or name in self.fetched or name in self.changed

    # With slots alone, pickle protocols 0 and 1 would refuse the object.
    def __getstate__(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in self.__slots__}

    def __setstate__(self, values: dict[str, Any]) -> None:
        for name, value in values.items():
            setattr(self, name, value)


LOADED = State(stored=True)
# The same for an object that was made and not touched since.
FRESH = State()


def own_state(obj: Any) -> State:
    """Return the state of ``obj``, giving it one of its own first."""
    state: State | None = obj.__dict__.get('_state')
    if state is None or state is FRESH:
        # Rows bring a pk along; an object under construction has none yet.
        stored = state is None and '_id' in obj.__dict__
        state = obj.__dict__['_state'] = State(stored)
    return state


def unsaved_state(obj: Any) -> State:
    """Return the state of a new object of the values of ``obj``: not stored, nothing changed."""
    state: State = obj._state
    slots = {column.name: column.slot for column in schema_of(obj).all}
    raw = {name: raw for name, raw in state.raw.items() if slots[name] not in obj.__dict__}
    fetched = None if state.fetched is None else state.fetched | state.changed.keys()
    return State(False, raw, fetched)


def value_of(obj: Any, column: Column) -> Any:
    """Return the value of a field, of a link its data; decodes it at the first touch."""
    values = obj.__dict__
    value = values.get(column.slot, PENDING)
    if value is PENDING:
        raw = obj._state.raw
        value = values[column.slot] = column.decode(raw.get(column.name), obj._id)
        if column.immutable:
            raw.pop(column.name, None)
    return value


def original(obj: Any, column: Column) -> Any:
    """Return the value that was fetched or saved last (of a new object: constructed).

    Stored bytes that cannot be decoded stand for themselves.
    """
    state: State = obj._state
    old = state.changed.get(column.name, PENDING)
    if old is UNKNOWN:
        return column.default()
    if old is not PENDING:
        return old
    if column.name in state.raw:
        try:
            return column.decode(state.raw[column.name], obj._id)
        except UnreadableValueError:
            return state.raw[column.name]
    never_seen = column.name in state.changed or not state.knows(column.name)
    return column.default() if never_seen else value_of(obj, column)


def expected_bytes(obj: Any, column: Column) -> Any:
    """Return the stored bytes of a field as far as known: bytes, ``None`` (absent), UNKNOWN."""
    state: State = obj._state
    if not state.stored or (state.fetched is not None and column.name not in state.fetched):
        return UNKNOWN
    old = state.changed.get(column.name, PENDING)
    if old is UNKNOWN:
        return UNKNOWN
    if old is not PENDING:
        return column.encode(old)
    if column.name in state.raw:
        return state.raw[column.name]
    return column.encode(original(obj, column))


def current_bytes(obj: Any, column: Column, reserved: Mapping[int, int] = EMPTY) -> bytes:
    """Return what would be stored for the field.

    A value that has not changed keeps its stored bytes, which another writer may have spelled
    otherwise.

    :param reserved: pks that linked objects are about to get, by ``id()``
    :raises FieldValueError: if the value has no stored form
    """
    value = obj.__dict__.get(column.slot, PENDING)
    stored: bytes | None = obj._state.raw.get(column.name)
    if value is PENDING:
        if stored is not None:
            return stored
        value = value_of(obj, column)
    encoded = column.encode(value, reserved)
    return encoded if stored is None or encoded != _rewritten(column, stored) else stored


def is_changed(obj: Any, column: Column, reserved: Mapping[int, int] = EMPTY) -> bool:
    """Whether the field differs from what was fetched or saved last."""
    state: State = obj._state
    name = column.name
    if name in state.changed:
        if state.changed[name] is UNKNOWN:
            return True
        old, new = original(obj, column), obj.__dict__[column.slot]
        return new is not old and bool(new != old)
    if column.immutable or column.slot not in obj.__dict__:
        return False
    if name not in state.raw and (not state.stored or state.knows(name)):
        return False
    return _is_mutated(obj, column, state.raw.get(name), reserved)


def _is_mutated(
    obj: Any, column: Column, stored: bytes | None, reserved: Mapping[int, int]
) -> bool:
    try:
        current = current_bytes(obj, column, reserved)
    except FieldValueError:
        # It can be compared no better than stored: whoever saves it is told.
        return True
    return current != stored and (stored is not None or current != _rewritten(column, None))


def _rewritten(column: Column, stored: bytes | None) -> bytes | None:
    """Return what this process would write for stored bytes; None if they cannot be decoded."""
    try:
        return column.encode(column.decode(stored))
    except (UnreadableValueError, FieldValueError):
        return None


def assigned(obj: Any) -> Mapping[str, Any]:
    """Return the values of the fields that were assigned since the object was fetched or saved."""
    changed = obj._state.changed
    return {name: obj.__dict__.get(name) for name in changed} if changed else EMPTY


def confirm(
    obj: Any,
    pk: int,
    written: Mapping[str, bytes],
    values: Mapping[str, Any],
    columns: Mapping[str, Column],
) -> None:
    """Note that the server has stored ``written`` for ``obj`` under ``pk``.

    :param values: what :func:`assigned` gave when it was encoded: a field that was assigned anew
        while the save was under way stays changed
    """
    state = own_state(obj)
    obj.__dict__['_id'] = pk
    state.stored, state.attempt = True, None
    if state.fetched is not None:
        state.fetched = state.fetched | written.keys()
    for name, stored in written.items():
        if not columns[name].immutable:
            state.raw[name] = stored
            state.changed.pop(name, None)
            continue
        if name not in obj.__dict__:
            continue
        state.raw.pop(name, None)
        if name not in values:
            continue  # if it is among the changed ones, it was assigned meanwhile
        if obj.__dict__[name] is values[name]:
            state.changed.pop(name, None)
        else:
            state.changed[name] = values[name]


def confirm_row(
    obj: Any,
    pk: int,
    row: Sequence[bytes],
    values: Mapping[str, Any],
    columns: Mapping[str, Column],
    plain: bool,
) -> None:
    """As :func:`confirm`, for a whole row.

    :param plain: whether all values are immutable, so that mostly nothing was noted of them
    """
    fields = obj.__dict__
    state = fields.pop('_state', None) if plain else None
    if state is FRESH:
        fields['_id'] = pk  # from now on LOADED speaks for it
        return
    if state is not None:
        fields['_state'] = state
    confirm(obj, pk, dict(zip(columns, row, strict=True)), values, columns)


def forget(obj: Any) -> None:
    """Note that the object is no longer stored; its values stay, and a save stores it anew."""
    obj.__dict__['_state'] = unsaved_state(obj)
    obj.__dict__['_id'] = None


def confirm_fetched(obj: Any, fresh: Any, columns: Iterable[Column]) -> None:
    """Make ``obj`` hold just what ``fresh``, another object of the same pk, was fetched with."""
    for column in columns:
        for place in (column.name, column.slot):
            obj.__dict__.pop(place, None)
            if place in fresh.__dict__:
                obj.__dict__[place] = fresh.__dict__[place]
    obj.__dict__['_state'] = State(True, dict(fresh._state.raw))
