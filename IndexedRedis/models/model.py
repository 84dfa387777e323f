"""``IndexedRedisModel``, the base of all models: the methods that need no server.

The methods that talk to Redis are in ``stored.py``.
"""

from __future__ import annotations

import copy
import itertools
from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any, ClassVar, Self, dataclass_transform

from .._core.mapping.schema import KeyList
from .._core.objects import changes, state, unknown_names
from .._core.objects.attributes import assign
from .._core.text import shorten
from ..connections.params import check_mapping, key_of
from ..deprecated import deprecated
from ..errors import UsageError
from ..executors.pools.locks import ForkSafeLock
from ..fields.base.primary_keys import new_primary_key
from ..fields.null import irNull
from ..managers.other_orms import missing_of_object
from .definition import ModelType, validatedModels
from .stored import Stored

if TYPE_CHECKING:
    from pydantic import BaseModel

__all__ = ('IndexedRedisModel', 'isIndexedRedisModel', 'validatedModels')

_lock = ForkSafeLock()
_numbers = itertools.count(1)


@dataclass_transform(kw_only_default=True, eq_default=False)
class _Declared(Stored):
    """For type checkers: annotated attributes of its subclasses are parameters of ``__init__``."""


class IndexedRedisModel(_Declared, metaclass=ModelType):
    """The base of all models: derive a class with fields.

    A field is an attribute, ``year: IRField[int] = IRField(valueType=int)``, or an item of
    ``FIELDS``. Class attributes to set:

    - ``FIELDS``: list of fields (:class:`~IndexedRedis.fields.IRField` and other field types), of
      a model that has none as attributes
    - ``INDEXED_FIELDS``: names of the fields to filter by
    - ``SORTED_FIELDS``: names of the fields to keep in order: all fields but links, json, pickled
      and raw ones. For each, a sorted set has the pks of all objects, in the order of their values
      (:doc:`/reference/keys`). After adding a field for stored objects, call
      ``objects.reindex()``. ``IRField('price', sorted=True)`` says the same.
    - ``UNIQUE_FIELDS``: names of fields of which no two objects have the same value, and tuples of
      names of fields that are unique together; null never counts (:ref:`unique`). They are
      indexed. After adding one for stored objects, call ``objects.reindex()``.
      ``IRField('email', unique=True)`` says the same of one field.
    - ``KEY_NAME``: name of the model in the database, like that of a table
    - ``REDIS_CONNECTION_PARAMS``: connection parameters that differ from the default ones
    - ``CLIENT_SIDE_CACHE``: how many answers to queries each connection caches until the server
      invalidates them; the default, 0, caches none
    - ``UNKNOWN_NAMES``: ``'raise'``, ``'warn'`` or ``'ignore'`` where a name is no field; the
      default, None, means what :func:`setUnknownNames` says, and ``'raise'`` where fields are
      attributes
    - ``REPLICA_READS``: ``'prefer'``: queries are asked of a replica that is fresh enough, else of
      the primary; ``'require'``: of replicas only; the default, ``'never'``: of the primary, apart
      from queries with :meth:`~IndexedRedisQuery.replica` (:doc:`/operate/replicas`)
    - ``ACKNOWLEDGED_BY``: how many replicas must have confirmed a write before the call returns;
      the default, 0, waits for none (:doc:`/operate/replicas`)
    - ``PARTITIONS``: over how many partitions the objects are spread; the default, 0, keeps them
      together. Set it, to 48, for a model that is larger than a node of a cluster
      (:doc:`/operate/partitions`).
    - ``PARTITION_BY``: name of the indexed field whose value decides the partition of an object;
      the default, None, spreads objects evenly
    - ``_connection``: a ``redis.Redis`` to use instead, on the class or on an object

    :param args: refused; they are named so that the error can say it
    :param values: values by field name, converted as if assigned. ``_id`` is the pk to store the
        object under. The values of other names are lost, with an ``UnknownNameWarning``;
        a model whose fields are attributes raises ``UnknownNameError``.
    :raises InvalidModelException: if the definition of the model is wrong
    :raises FieldValueError: if a field cannot hold its value
    :raises UsageError: if a value is given by position, or ``_id`` is not a pk
    :raises UnknownNameError: if a name is no field, and ``UNKNOWN_NAMES`` is ``'raise'``
    """

    FIELDS: ClassVar[Any] = ()
    INDEXED_FIELDS: ClassVar[Any] = ()
    SORTED_FIELDS: ClassVar[Any] = ()
    UNIQUE_FIELDS: ClassVar[Any] = ()
    KEY_NAME: ClassVar[Any] = None
    CLIENT_SIDE_CACHE: ClassVar[int] = 0
    UNKNOWN_NAMES: ClassVar[str | None] = None
    REPLICA_READS: ClassVar[str] = 'never'
    ACKNOWLEDGED_BY: ClassVar[int] = 0
    PARTITIONS: ClassVar[int] = 0
    PARTITION_BY: ClassVar[Any] = None
    _is_ir_model = True
    _is_ir_base = True
    _id: int | None = None
    _state = state.LOADED
    _copies = 0

    # Equality is by value, so a hash could change.
    __hash__ = None  # type: ignore[assignment]

    def __init__(self, /, *args: Any, **values: Any) -> None:
        schema = type(self)._validated()
        if args:
            raise UsageError(
                f'{schema.name}: values are given by keyword; {shorten(repr(args[0]))} was given '
                f'by position. Write {schema.name}({schema.all[0].name}=...).'
            )
        if '_id' in self.__dict__:
            return  # fetched: the object has its values
        if not schema.names.issuperset(values):
            unknown_names.check_given(self, values, schema.names)
        fields = self.__dict__
        pk = values.get('_id')
        fields['_id'] = new_primary_key(pk) if pk else None
        schema.construct(fields, values)
        fields['_state'] = state.FRESH

    def __init_subclass__(cls, *, init: bool = True, **options: Any) -> None:
        """Take ``init=False``, by which type checkers let the constructor take any names."""
        super().__init_subclass__(**options)

    if not TYPE_CHECKING:  # type checkers shall report unknown names

        def __setattr__(self, name: str, value: Any) -> None:
            schema = type(self)._validated()
            column = schema.columns.get(name)
            if column is not None:
                assign(self, column, value)
                return
            field = schema.slips[name]
            if field:
                unknown_names.check_assigned(self, name, field)
            object.__setattr__(self, name, value)

        # Reading 19 fields takes 0.6 us with it, and 0.4 without. But as attributes of the class
        # such names would hide those of other bases, and count as known.
        def __getattr__(self, name: str) -> Any:
            message = missing_of_object(type(self).__name__, name)
            if message:
                raise AttributeError(message, name=name, obj=self)
            return object.__getattribute__(self, name)  # raises the first error again

    def __delattr__(self, name: str) -> None:
        if name in type(self)._validated().columns:
            raise AttributeError(f'{type(self).__name__}.{name} is a field; assign irNull instead.')
        object.__delattr__(self, name)

    @classmethod
    def validateModel(cls) -> bool:
        """Validate the definition of the model, and return True.

        :raises InvalidModelException: with every problem of the definition
        """
        cls._validated()
        return True

    @classmethod
    def connectAlt(cls, params: Mapping[str, Any]) -> type[Self]:
        """Return a subclass of this model with other connection parameters.

        Equal parameters return the same class, as long as the program holds it.

        :param params: keyword arguments of ``redis.Redis``; missing ones come from the defaults
        :raises ConnectionSetupError: if ``params`` is not a dict
        """
        check_mapping(params)
        key = key_of(params)
        with _lock:
            model: type[Self] | None = cls._alternatives.get(key)
            if model is None:
                model = cls._alternatives[key] = cls._derived(
                    f'AltConnect{cls.__name__}{next(_numbers)}',
                    REDIS_CONNECTION_PARAMS=dict(params),
                    _connection=None,
                )
            return model

    @classmethod
    @deprecated('Model.connect(params) is now Model.connectAlt(params).')
    def connect(cls, params: Mapping[str, Any]) -> type[Self]:
        """Deprecated name of :meth:`connectAlt`."""
        return cls.connectAlt(params)

    @classmethod
    def pydantic(
        cls,
        nested: Iterable[str] = (),
        only: Iterable[str] | None = None,
        pk: str | None = 'id',
        name: str | None = None,
    ) -> type[BaseModel]:
        """Return a pydantic model with the fields of this model, such as FastAPI answers with.

        Its ``model_validate`` takes an object of this model, and fetches nothing. The same
        arguments return the same class. Needs the extra ``pydantic`` (:doc:`/frameworks/fastapi`).

        :param nested: names of the links to show as objects, such as ``['album__artist']``; the
            others are shown as pks
        :param only: names of the fields to show; None means all
        :param pk: the name that shows the pk; None leaves it out
        :param name: the name of the class; the default is that of this model
        :raises UsageError: if ``nested`` or ``only`` is wrong, or a field has the name of the pk
        :raises MissingExtraError: if the extra ``pydantic`` is not installed
        """
        from ..frameworks.pydantic_models import pydantic_model

        return pydantic_model(cls, nested, only, pk, name)

    @classmethod
    def copyModel(cls) -> type[Self]:
        """Return a subclass with the same stored objects and its own copies of the fields."""
        cls._validated()
        number = cls._copies = cls.__dict__.get('_copies', 0) + 1
        return cls._derived(
            f'{cls.__name__}_Copy{number}',
            FIELDS=KeyList(field.copy() for field in cls.FIELDS),
            INDEXED_FIELDS=list(cls.INDEXED_FIELDS),
            SORTED_FIELDS=list(cls.SORTED_FIELDS),
            UNIQUE_FIELDS=list(cls.UNIQUE_FIELDS),
        )

    def getPk(self) -> int | None:
        """Return the pk; None if the object is not saved."""
        return self._id

    def asDict(
        self,
        includeMeta: bool = False,
        forStorage: bool = False,
        strKeys: bool = False,
        nullAs: Any = None,
    ) -> dict[Any, Any]:
        """Return all fields as a dict. A link is its link data; nothing is fetched.

        :param includeMeta: add ``'_id'``
        :param forStorage: return stored forms instead of values
        :param strKeys: use plain ``str`` keys instead of the fields, which are ``str`` too
        :param nullAs: what stands for null. JSON writes None as null, and ``irNull``, which is a
            ``str``, as an empty text.
        """
        result: dict[Any, Any] = {'_id': self._id} if includeMeta else {}
        for column in type(self)._validated().all:
            value = state.value_of(self, column)
            key = column.name if strKeys else column.field
            if forStorage:
                result[key] = column.field.toStorage(value)
            else:
                result[key] = nullAs if value is irNull else value
        return result

    toDict = asDict

    def pprint(self, stream: Any = None) -> None:
        """Print the object as a dict.

        :param stream: a text file; None means the standard output
        """
        from pprint import pprint  # a fifth of the import time

        pprint(self.asDict(includeMeta=True, strKeys=True, nullAs=irNull), stream=stream)

    def hasUnsavedChanges(self, cascadeObjects: bool = False) -> bool:
        """Return whether the object was never saved, or has changed since it was fetched or saved.

        :param cascadeObjects: include linked objects in memory
        """
        return changes.has_unsaved_changes(self, cascadeObjects)

    def getUpdatedFields(self, cascadeObjects: bool = False) -> dict[str, tuple[Any, Any]]:
        """Return ``{name: (old, new)}`` of the fields that changed since the last fetch or save.

        A link has link data as values.

        :param cascadeObjects: include links whose objects in memory have changes
        """
        return changes.updated_fields(self, cascadeObjects)

    def hasSameValues(
        self, other: Any, cascadeObject: bool = True, cascadeObjects: bool | None = None
    ) -> bool:
        """Return whether another object has the same fields with equal values. Pks do not count.

        :param other: the other object
        :param cascadeObject: compare linked objects that both sides have in memory
        :param cascadeObjects: another name of ``cascadeObject``, as in other methods
        """
        if not isIndexedRedisModel(other) or list(self.FIELDS) != list(other.FIELDS):
            return False
        cascade = cascadeObject if cascadeObjects is None else cascadeObjects
        return changes.same_values(self, other, cascade)

    def diff(self, other: Any, includeMeta: bool = False) -> dict[str, tuple[Any, Any]]:
        """Return ``{name: (value of this object, value of the other)}`` of the fields that differ.

        :param other: an object with the same fields
        :param includeMeta: include differing pks, as ``'_id'``
        :raises UsageError: if ``other`` has other fields, or is not an object of a model
        """
        if not all(isIndexedRedisModel(type(each)) for each in (self, other)):
            raise UsageError(f'diff compares two objects of models, not {self!r} and {other!r}.')
        if list(self.FIELDS) != list(other.FIELDS):
            raise UsageError(f'{self!r} and {other!r} have different FIELDS.')
        found = changes.differences(self, other)
        if includeMeta and self._id != other._id:
            found['_id'] = (self._id, other._id)
        return found

    def copy(self, copyPrimaryKey: bool = False, copyValues: bool = False) -> Self:
        """Return a new object with equal values. A save stores it whole.

        :param copyPrimaryKey: give it the pk too, so that saving writes over the same record
        :param copyValues: copy the values deeply; else both objects share them
        """
        columns, own_state = type(self)._validated().all, state.unsaved_state(self)
        if not copyValues:
            for column in columns:
                if column.name in own_state.raw and not column.immutable:
                    with suppress(ValueError):  # unreadable bytes are shared as they are
                        state.value_of(self, column)
        duplicate = type(self).__new__(type(self))
        values = duplicate.__dict__
        values.update(self.__dict__)
        values.update(_id=self._id if copyPrimaryKey else None, _state=own_state)
        if copyValues:
            for column in columns:
                if column.slot in values:
                    values[column.slot] = copy.deepcopy(values[column.slot])
        return duplicate

    @property
    def _origData(self) -> dict[str, Any]:
        """The values last fetched or saved, by name; private, but known programs read it."""
        columns = type(self)._validated().all
        return {column.name: state.original(self, column) for column in columns}

    def __copy__(self) -> Self:
        return self.copy()

    def __deepcopy__(self, memo: Any) -> Self:
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


def isIndexedRedisModel(value: Any) -> bool:
    """Return whether ``value`` is a model, or an object of one."""
    return bool(getattr(value, '_is_ir_model', False))
