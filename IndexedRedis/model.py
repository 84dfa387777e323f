"""``IndexedRedisModel`` and its metaclass.

A model is validated at its first use, once; its class then carries one descriptor for each field.
Methods here are thin: what they do with Redis is in ``_core``, run by the model's executor.
"""

from __future__ import annotations

import copy
import functools
import itertools
import pprint
import threading
from collections.abc import Iterable, Mapping
from typing import Any

from ._core import compare, links, state
from ._core.accessors import assign
from ._core.schema import Schema
from .connections import executor_for
from .deleter import IndexedRedisDelete
from .deprecated import deprecatedMessage
from .errors import ConnectionSetupError, UsageError
from .fields import IRClassicField, IRField
from .fields.foreign import register_model
from .helper import IndexedRedisHelper, executor_of, new_primary_key
from .query import IndexedRedisQuery
from .saver import IndexedRedisSave, reset

__all__ = ('IndexedRedisModel', 'isIndexedRedisModel', 'validatedModels')

#: Models whose definition was found to be right. Taking one out has it looked at anew.
validatedModels: set[type] = set()

_DEFINITION = ('FIELDS', 'INDEXED_FIELDS', 'KEY_NAME')
_lock = threading.RLock()
_numbers = itertools.count(1)


class ModelType(type):
    """The class of models: a definition that is changed later is validated anew."""

    _schema: Schema | None
    _alternatives: dict[str, Any]

    def __init__(cls, name: str, bases: tuple[type, ...], namespace: dict[str, Any]) -> None:
        super().__init__(name, bases, namespace)
        type.__setattr__(cls, '_schema', None)
        type.__setattr__(cls, '_alternatives', {})
        register_model(cls)

    def __setattr__(cls, name: str, value: Any) -> None:
        super().__setattr__(name, value)
        if name in _DEFINITION:
            cls._outdate()

    def _outdate(cls) -> None:
        validatedModels.discard(cls)
        subclasses: list[Any] = cls.__subclasses__()
        for subclass in subclasses:
            subclass._outdate()

    def _validated(cls) -> Schema:
        """Return the schema; validates the definition at first use."""
        schema = cls._schema
        if schema is not None and cls in validatedModels:
            return schema
        with _lock:
            return cls._schema if cls in validatedModels and cls._schema else _define(cls)


def _define(cls: Any) -> Schema:
    if cls is IndexedRedisModel:
        raise UsageError('IndexedRedisModel is the base of models; derive a class from it.')
    # Inherited FIELDS stay inherited, so that a later change on the base reaches this class too.
    owner = next(each for each in cls.__mro__ if 'FIELDS' in vars(each))
    if isinstance(cls.FIELDS, (list, tuple)) and cls.FIELDS:
        fields = [*map(functools.partial(_as_field, cls), cls.FIELDS)]
        type.__setattr__(owner, 'FIELDS', fields)
    own_init = cls.__init__ is not IndexedRedisModel.__init__
    schema = Schema(cls, _RESERVED, _adopt if own_init else None)
    type.__setattr__(owner, 'FIELDS', schema.fields)
    type.__setattr__(cls, 'foreignFields', [column.field for column in schema.links])
    schema.install()
    type.__setattr__(cls, '_schema', schema)
    validatedModels.add(cls)
    return schema


def _as_field(cls: type, item: Any) -> Any:
    if not isinstance(item, str) or isinstance(item, IRField):
        return item
    deprecatedMessage(
        f'{cls.__name__}: FIELDS holds the plain text {item!r}; use IRClassicField({item!r}), or '
        f'IRField({item!r}) for a field that can be null.',
        stacklevel=5,
    )
    return IRClassicField(item)


def _adopt(obj: Any) -> None:
    """Run the ``__init__`` of a user's model over a fetched object, as 6.0.3 did."""
    values = {}
    for name, column in type(obj)._schema.columns.items():
        try:
            values[name] = state.value_of(obj, column)
        except ValueError:
            continue
    obj.__init__(_id=obj._id, **values)


class _Manager:
    """Gives a new helper at every access, on the class or an object."""

    def __init__(self, helper: type[IndexedRedisHelper]) -> None:
        self._helper = helper

    def __get__(self, obj: Any, owner: Any) -> Any:
        owner._validated()
        return self._helper(owner, obj)


class IndexedRedisModel(metaclass=ModelType):
    """Base of all models: derive a class, and list its fields.

    Class attributes to set:

    - ``FIELDS``: list of fields (:class:`~IndexedRedis.fields.IRField` and relatives)
    - ``INDEXED_FIELDS``: names of the fields to filter on
    - ``KEY_NAME``: name of the model in the database, like that of a table
    - ``REDIS_CONNECTION_PARAMS``: what differs from the default connection parameters
    - ``_connection``: a ``redis.Redis`` to use instead (on the class, or set in ``__init__``)

    :param values: values of fields, converted as if assigned; other names are ignored. ``_id``
        is the pk of the record to write over.
    :raises InvalidModelException: at the first use of a model whose definition is wrong
    :raises FieldValueError: if a field cannot hold a value
    """

    FIELDS: Any = ()
    INDEXED_FIELDS: Any = ()
    KEY_NAME: Any = None
    REDIS_CONNECTION_PARAMS: Any = {}

    _is_ir_model = True
    _connection: Any = None
    _id: int | None = None
    _state = state.LOADED

    objects = _Manager(IndexedRedisQuery)
    saver = _Manager(IndexedRedisSave)
    deleter = _Manager(IndexedRedisDelete)

    # Equality is by value, so there is no hash that stays right.
    __hash__ = None  # type: ignore[assignment]

    def __init__(self, *args: Any, **values: Any) -> None:
        schema = type(self)._validated()
        if '_id' in self.__dict__:
            return  # fetched: the values are there already
        own = state.own_state(self)
        pk = values.get('_id')
        self.__dict__['_id'] = new_primary_key(pk) if pk else None
        for name, column in schema.columns.items():
            given = name in values
            self.__dict__[column.slot] = (
                column.from_input(values[name]) if given else column.default()
            )
        own.changed.clear()

    def __setattr__(self, name: str, value: Any) -> None:
        column = type(self)._validated().columns.get(name)
        if column is None:
            object.__setattr__(self, name, value)
        else:
            assign(self, column, value)

    def __delattr__(self, name: str) -> None:
        if name in type(self)._validated().columns:
            raise AttributeError(f'{type(self).__name__}.{name} is a field; assign irNull instead.')
        object.__delattr__(self, name)

    @classmethod
    def validateModel(cls) -> bool:
        """Validate the definition; returns True.

        :raises InvalidModelException: with every problem of it
        """
        cls._validated()
        return True

    @classmethod
    def reset(cls, objs: Iterable[Any]) -> list[int]:
        """Replace all stored objects of the model by ``objs``, in one moment.

        Readers see the old data set or the new one, never a mixture, and do not wait. Objects
        without a pk get fresh ones in the order of the list; others keep theirs. Objects that were
        replaced cannot be saved any more.

        :param objs: the new data set
        :returns: their pks, in order
        :raises ResetInProgressError: if another reset of the model does not end within 15 s
        :raises FieldValueError: if a value cannot be stored; nothing is replaced then

        Redis: rows and sets are staged in overlapping chunks; one script swaps the sets.
        """
        schema = cls._validated()
        result: list[int] = executor_of(cls).run(reset(schema, objs))
        return result

    @classmethod
    def connectAlt(cls, params: Mapping[str, Any]) -> Any:
        """Return a subclass of this model on other connection parameters.

        Equal parameters give the same class.

        :param params: keyword arguments of ``redis.Redis``; missing ones come from the defaults
        :raises ConnectionSetupError: if they are no dict
        """
        if not isinstance(params, Mapping):
            raise ConnectionSetupError(f'connectAlt takes a dict of parameters, not {params!r}.')
        own = dict(params)
        key = repr(sorted(own.items(), key=lambda item: str(item[0])))
        with _lock:
            if key not in cls._alternatives:
                name = f'AltConnect{cls.__name__}{next(_numbers)}'
                body = {'REDIS_CONNECTION_PARAMS': own, '_connection': None}
                cls._alternatives[key] = ModelType(
                    name, (cls,), {**body, '__module__': cls.__module__}
                )
            return cls._alternatives[key]

    def save(self) -> list[int]:
        """Store the object; returns a list of its pk. See :meth:`IndexedRedisSave.save`."""
        pks: list[int] = self.saver.save(self)
        return pks

    def delete(self) -> int:
        """Delete the stored object; returns 1, or 0 if it has no pk. The pk is None then."""
        count: int = self.deleter.deleteOne(self)
        return count

    def getPk(self) -> int | None:
        """Return the pk; None until the object is saved."""
        return self._id

    def reload(self, cascadeObjects: bool = True) -> dict[str, tuple[Any, Any]]:
        """Fetch the newest values into this object, over local changes.

        :param cascadeObjects: into linked objects that are here as well
        :returns: ``{name: (local value, fetched value)}`` of the fields that differed
        :raises ObjectGoneError: a ``KeyError``, if never saved or not stored any more

        Redis: ``SMISMEMBER`` and ``HMGET`` in one trip.
        """
        result: dict[str, tuple[Any, Any]] = executor_of(type(self), self).run(
            compare.reload(self, cascadeObjects)
        )
        return result

    def cascadeFetch(self) -> None:
        """Fetch all linked objects, and those that they link to, and so on.

        Redis: as ``getMultiple``, once for each level of links and model.
        """
        executor_of(type(self), self).run(links.cascade_fetch([self]))

    def saveToExternal(self, params: Any) -> list[int]:
        """Save a copy of the object into another Redis, under a new pk of there.

        :param params: connection parameters, or a ``redis.Redis``
        :returns: a list of the new pk
        """
        is_params = isinstance(params, Mapping)
        schema = type(self)._validated()
        executor = executor_for(params) if is_params else executor_for(None, params)
        pks: list[int] = executor.run(_save_flow(schema, self.copy()))
        return pks

    def asDict(
        self, includeMeta: bool = False, forStorage: bool = False, strKeys: bool = False
    ) -> dict[Any, Any]:
        """Return all fields as a dict.

        :param includeMeta: add ``'_id'``
        :param forStorage: give what is written to Redis, instead of the values
        :param strKeys: use plain text as keys, instead of the fields (which are text as well)
        """
        result: dict[Any, Any] = {'_id': self._id} if includeMeta else {}
        for column in type(self)._validated().all:
            value = state.value_of(self, column)
            key = column.name if strKeys else column.field
            result[key] = column.field.toStorage(value) if forStorage else value
        return result

    toDict = asDict

    def pprint(self, stream: Any = None) -> None:
        """Print the object as a dict.

        :param stream: a text file; None means the standard output
        """
        pprint.pprint(self.asDict(includeMeta=True, strKeys=True), stream=stream)

    def hasUnsavedChanges(self, cascadeObjects: bool = False) -> bool:
        """Whether the object was never saved, or differs from what was fetched or saved last.

        :param cascadeObjects: ask linked objects that are here as well
        """
        return compare.has_unsaved_changes(self, cascadeObjects)

    def getUpdatedFields(self, cascadeObjects: bool = False) -> dict[str, tuple[Any, Any]]:
        """Return ``{name: (old, new)}`` of what changed since the last fetch or save.

        Of links it gives the link data.

        :param cascadeObjects: give links whose objects have changes, too
        """
        return compare.updated_fields(self, cascadeObjects)

    def hasSameValues(
        self, other: Any, cascadeObject: bool = True, cascadeObjects: bool | None = None
    ) -> bool:
        """Whether ``other`` has the same fields with equal values; pks do not count.

        :param cascadeObject: compare linked objects that are here on both sides as well
        :param cascadeObjects: the same, under the name that the other methods use
        """
        if not isIndexedRedisModel(other) or list(self.FIELDS) != list(other.FIELDS):
            return False
        cascade = cascadeObject if cascadeObjects is None else cascadeObjects
        return compare.same_values(self, other, cascade)

    def diff(self, other: Any, includeMeta: bool = False) -> dict[str, tuple[Any, Any]]:
        """Return ``{name: (mine, theirs)}`` of the fields that differ.

        :param other: an object with the same fields
        :param includeMeta: give differing pks as ``'_id'``
        :raises UsageError: if it has other fields, or is no object of a model
        """
        if not all(isIndexedRedisModel(type(each)) for each in (self, other)):
            raise UsageError(f'diff compares two objects of models, not {self!r} and {other!r}.')
        if list(self.FIELDS) != list(other.FIELDS):
            raise UsageError(f'{self!r} and {other!r} have different FIELDS.')
        found = compare.differences(self, other)
        if includeMeta and self._id != other._id:
            found['_id'] = (self._id, other._id)
        return found

    def copy(self, copyPrimaryKey: bool = False, copyValues: bool = False) -> Any:
        """Return a new object of equal values.

        :param copyPrimaryKey: let it have the pk too, so that saving writes over the same record
        :param copyValues: copy the values deeply, instead of sharing them
        """
        duplicate = type(self).__new__(type(self))
        duplicate.__dict__.update(self.__dict__)
        duplicate.__dict__['_id'] = self._id if copyPrimaryKey else None
        duplicate.__dict__['_state'] = self._state.unsaved(self.__dict__)
        if copyValues:
            for column in type(self)._validated().all:
                if column.slot in duplicate.__dict__:
                    value = copy.deepcopy(duplicate.__dict__[column.slot])
                    duplicate.__dict__[column.slot] = value
        return duplicate

    @property
    def _origData(self) -> dict[str, Any]:
        """The values as fetched or saved last, by name; known programs look into it."""
        columns = type(self)._validated().all
        return {column.name: state.original(self, column) for column in columns}

    def __copy__(self) -> Any:
        return self.copy()

    def __deepcopy__(self, memo: Any) -> Any:
        return self.copy(copyValues=True)

    def __setstate__(self, values: dict[str, Any]) -> None:
        type(self)._validated()
        self.__dict__.update(values)

    def __eq__(self, other: object) -> bool:
        if type(self) is not type(other):
            return NotImplemented
        return self._id == other._id and self.hasSameValues(other)

    def __str__(self) -> str:
        name = type(self).__name__
        if self._id is None:
            return f'<{name} obj (Not in DB) at {hex(id(self))}>'
        changed = ' (Unsaved Changes)' if self.hasUnsavedChanges() else ''
        return f'<{name} obj _id={self._id}{changed} at {hex(id(self))}>'

    def __repr__(self) -> str:
        pk = [] if self._id is None else [f'_id="{self._id}"']
        shown = [f'{name}={self._shown(name)}' for name in self.FIELDS]
        return f'{type(self).__name__}({", ".join([*pk, *shown])})'

    def _shown(self, name: str) -> str:
        try:
            return repr(state.value_of(self, type(self)._validated().columns[name]))
        except ValueError:
            return '<unreadable>'


_RESERVED = frozenset({*dir(IndexedRedisModel), *vars(ModelType), 'foreignFields'})


def _save_flow(schema: Schema, obj: Any) -> Any:
    from ._core.write import save

    return save(schema, [obj], [None])


def isIndexedRedisModel(value: Any) -> bool:
    """Whether ``value`` is a model, or an object of one."""
    return bool(getattr(value, '_is_ir_model', False))
