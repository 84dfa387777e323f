"""The state of an object: what this process has seen of its stored form.

A fetch copies no value. An assignment remembers the old value of an immutable field. The stored
bytes of a mutable field are its snapshot, compared when somebody asks for changes. Objects without
changes share one state: after a fetch or a save that of their incarnation (``LOADED`` if it is
unknown), ``FRESH`` after construction.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ...errors import FieldValueError, UnreadableValueError
from ...fields.null import irNull
from ..column import EMPTY, Column
from .graph import schema_of

__all__ = (
    'FRESH',
    'LOADED',
    'PENDING',
    'UNKNOWN',
    'State',
    'own_state',
    'stored_state',
)


class _Mark:
    """A named singleton that survives copies and pickling."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __reduce__(self) -> str:
        return self._name

    def __repr__(self) -> str:
        return self._name


# An old value that is not decoded yet: its stored bytes, or the default.
PENDING = _Mark('PENDING')
# An old value, or stored bytes, that this process has never seen.
UNKNOWN = _Mark('UNKNOWN')


class State:
    """What this process has seen of the stored form of one object.

    - ``stored``: whether the object was fetched or saved.
    - ``changed``: old values of assigned fields, by name.
    - ``raw``: stored bytes of mutable fields and of fields not decoded yet (None: absent field).
    - ``fetched``: the names of the fetched fields of a partial object; None for a whole object.
    - ``attempt``: pk and row of a save with unknown outcome (``UNKNOWN`` where two such saves
      differ). A ``Draw`` stands for a pk that is unknown too.
    - ``drawn``: the id of an incarnation whose data has its pk, that of the attempt too: the one
      that it was drawn under, or the newest one when the row was read; ``b''`` if it is unknown.
    """

    __slots__ = ('attempt', 'changed', 'drawn', 'fetched', 'raw', 'stored')

    def __init__(
        self,
        stored: bool = False,
        raw: dict[str, bytes | None] | None = None,
        fetched: frozenset[str] | None = None,
        drawn: bytes = b'',
    ) -> None:
        self.stored, self.drawn = stored, drawn
        self.changed: dict[str, Any] = {}
        self.raw: dict[str, bytes | None] = {} if raw is None else raw
        self.fetched = fetched
        self.attempt: tuple[Any, dict[str, Any]] | None = None

    def knows(self, name: str) -> bool:
        """Return whether the value of a field was fetched, saved or assigned."""
        return self.fetched is None or name in self.fetched or name in self.changed

    # With slots alone, pickle protocols 0 and 1 would refuse the object.
    def __getstate__(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in State.__slots__}

    def __setstate__(self, values: dict[str, Any]) -> None:
        self.drawn = b''
        for name, value in values.items():
            setattr(self, name, value)


class _Shared(State):
    """A state of many objects, which is never written to."""

    __slots__ = ()

    # So an object of a pickle shares the state again, and the pickle is 60 bytes shorter.
    def __reduce__(self) -> Any:
        return (stored_state, (self.drawn,)) if self.stored else 'FRESH'


# The states of all objects that were fetched or saved and not changed since, by their incarnation;
# that of all new objects.
LOADED = _Shared(stored=True)
_STORED = {LOADED.drawn: LOADED}
FRESH = _Shared()


def stored_state(drawn: bytes) -> State:
    """Return the state of stored objects without changes, for the id of an incarnation."""
    return _STORED.get(drawn) or _STORED.setdefault(drawn, _Shared(stored=True, drawn=drawn))


def own_state(obj: Any) -> State:
    """Return the state of an object; replace a shared state by one of its own."""
    state: State | None = obj.__dict__.get('_state')
    if state is None:
        # An object of a pickle has a pk already; an object under construction has none yet.
        state = obj.__dict__['_state'] = State('_id' in obj.__dict__)
    elif type(state) is _Shared:
        state = obj.__dict__['_state'] = State(state.stored, drawn=state.drawn)
    return state


def unsaved_state(obj: Any) -> State:
    """Return a state for a new object with the values of ``obj``: not stored, without changes."""
    state: State = obj._state
    slots = {column.name: column.slot for column in schema_of(obj).all}
    raw = {name: raw for name, raw in state.raw.items() if slots[name] not in obj.__dict__}
    fetched = None if state.fetched is None else state.fetched | state.changed.keys()
    return State(False, raw, fetched)


def value_of(obj: Any, column: Column) -> Any:
    """Return the value of a field, and of a link its link data. Decode it at the first read.

    :raises UnreadableValueError: if the stored bytes cannot be decoded
    """
    values = obj.__dict__
    value = values.get(column.slot, PENDING)
    if value is PENDING:
        raw = obj._state.raw
        value = values[column.slot] = column.decode(raw.get(column.name), obj._id)
        if column.immutable:
            raw.pop(column.name, None)
    return value


def original(obj: Any, column: Column) -> Any:
    """Return the value that was last fetched or saved; of a new object, the constructed value.

    Stored bytes that cannot be decoded are returned as bytes.
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
    """Return the bytes that a field should have in Redis: bytes, None (absent) or ``UNKNOWN``."""
    state: State = obj._state
    if not state.stored or (state.fetched is not None and column.name not in state.fetched):
        return UNKNOWN
    old = state.changed.get(column.name, PENDING)
    if old is UNKNOWN:
        return UNKNOWN
    if old is not PENDING:
        return column.encode_read(old)
    if column.name in state.raw:
        return state.raw[column.name]
    return column.encode_read(original(obj, column))


def current_bytes(obj: Any, column: Column, reserved: Mapping[int, int] = EMPTY) -> bytes:
    """Return the bytes that a save would store for a field.

    An unchanged value keeps its stored bytes, even if this process would write other bytes for it.

    :param reserved: reserved pks of unsaved linked objects, by ``id()`` of the object
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
    """Return whether a field has changed since the object was fetched or saved.

    :param reserved: as of :func:`current_bytes`
    """
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
    if obj.__dict__[column.slot] is irNull and column.is_null(stored):
        return False  # of a time before the field refused null
    try:
        current = current_bytes(obj, column, reserved)
    except FieldValueError:
        return True  # the value cannot be encoded; a save raises this error
    return current != stored and (stored is not None or current != _rewritten(column, None))


def _rewritten(column: Column, stored: bytes | None) -> bytes | None:
    """Return what this process would write for stored bytes; None if they cannot be decoded."""
    try:
        return column.encode(column.decode(stored))
    except (UnreadableValueError, FieldValueError):
        return None


def assigned(obj: Any) -> Mapping[str, Any]:
    """Return the values, by name, of fields assigned since the object was fetched or saved."""
    changed = obj._state.changed
    return {name: obj.__dict__.get(name) for name in changed} if changed else EMPTY


def confirm(
    obj: Any,
    pk: int,
    written: Mapping[str, bytes],
    values: Mapping[str, Any],
    columns: Mapping[str, Column],
    drawn: bytes = b'',
) -> None:
    """Mark an object as saved.

    :param pk: the pk that the object is stored under
    :param written: the stored bytes, by field name
    :param values: the result of :func:`assigned` before encoding. A field that was assigned again
        during the save stays changed.
    :param columns: the columns of the model, by name
    :param drawn: the id of the incarnation under which the pk was drawn
    """
    state = own_state(obj)
    obj.__dict__['_id'] = pk
    state.stored, state.attempt, state.drawn = True, None, drawn
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
            continue  # if the field counts as changed, it was assigned during the save
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
    drawn: bytes = b'',
) -> None:
    """Mark an object as saved, as :func:`confirm` does, with the stored bytes as a row.

    :param plain: whether all fields are immutable; the state is then mostly the shared one
    """
    fields = obj.__dict__
    state = fields.pop('_state', None) if plain else None
    if state is FRESH:
        fields['_id'], fields['_state'] = pk, stored_state(drawn)
        return
    if state is not None:
        fields['_state'] = state
    confirm(obj, pk, dict(zip(columns, row, strict=True)), values, columns, drawn)


def forget(obj: Any) -> None:
    """Mark an object as not stored. Its values stay, and a save inserts it under a new pk."""
    obj.__dict__['_state'] = unsaved_state(obj)
    obj.__dict__['_id'] = None


def confirm_fetched(obj: Any, fresh: Any, columns: Iterable[Column]) -> None:
    """Replace the values and the state of an object by those of a fetched one with the same pk."""
    for column in columns:
        for key in (column.name, column.slot):
            obj.__dict__.pop(key, None)
            if key in fresh.__dict__:
                obj.__dict__[key] = fresh.__dict__[key]
    obj.__dict__['_state'] = State(True, dict(fresh._state.raw), drawn=fresh._state.drawn)
