"""What happens when a model is defined: nothing; and at its first use: everything, once.

The metaclass keeps the schema of each model. It is made, and every problem of the definition told,
when the model is first used, and made anew when the definition is changed later.
"""

from __future__ import annotations

import functools
import threading
from collections.abc import Iterator, MutableSet
from typing import Any
from weakref import WeakSet, WeakValueDictionary

from .._core.mapping.schema import Schema
from .._core.objects import state
from ..deprecated import deprecatedMessage
from ..errors import UsageError
from ..fields import IRClassicField, IRField
from ..fields.foreign import register_model
from ..managers.manager import IndexedRedisHelper

__all__ = ('Manager', 'ModelType', 'validatedModels')

_DEFINITION = ('FIELDS', 'INDEXED_FIELDS', 'KEY_NAME', 'CLIENT_SIDE_CACHE')
_lock = threading.RLock()


class _ValidatedModels(MutableSet[Any]):
    """The models whose definition is valid. One that is taken out is validated at its next use.

    Holds weak references, so models that a program has dropped are freed.
    """

    def __init__(self) -> None:
        self._models: WeakSet[Any] = WeakSet()

    def add(self, model: Any) -> None:
        self._models.add(model)
        type.__setattr__(model, '_is_validated', model._schema is not None)

    def discard(self, model: Any) -> None:
        self._models.discard(model)
        type.__setattr__(model, '_is_validated', False)

    def __contains__(self, model: Any) -> bool:
        return model in self._models

    def __iter__(self) -> Iterator[Any]:
        return iter(self._models)

    def __len__(self) -> int:
        return len(self._models)


validatedModels = _ValidatedModels()


class ModelType(type):
    """The class of models: a definition that is changed later is validated anew."""

    _schema: Schema | None
    _is_validated: bool
    _alternatives: WeakValueDictionary[Any, Any]

    def __init__(cls, name: str, bases: tuple[type, ...], namespace: dict[str, Any]) -> None:
        super().__init__(name, bases, namespace)
        type.__setattr__(cls, '_schema', None)
        type.__setattr__(cls, '_is_validated', False)
        type.__setattr__(cls, '_alternatives', WeakValueDictionary())
        with _lock:
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

    def _is_variant(cls, other: type) -> bool:
        """Whether objects of ``other`` are stored as objects of this model: a copy, or another
        connection of it."""
        related = issubclass(other, cls) or issubclass(cls, other)
        # A subclass under a KEY_NAME of its own is another model: its pks mean other objects.
        return related and other.KEY_NAME == cls.KEY_NAME  # type: ignore[attr-defined]

    def _derived(cls, name: str, **attributes: Any) -> Any:
        """Return a subclass that stands for this model under other circumstances."""
        return ModelType(name, (cls,), {'__module__': cls.__module__, **attributes})

    def _validated(cls) -> Schema:
        """Return the schema; validates the definition at first use."""
        if not cls._is_validated:
            with _lock:
                if not cls._is_validated:
                    _define(cls)
        return cls._schema  # type: ignore[return-value]


def _define(cls: Any) -> None:
    base = next(each for each in cls.__mro__ if '_is_ir_base' in vars(each))
    if cls is base:
        raise UsageError('IndexedRedisModel is the base of models; derive a class from it.')
    # Inherited FIELDS stay inherited, so that a later change on the base reaches this class too.
    owner = next(each for each in cls.__mro__ if 'FIELDS' in vars(each))
    if isinstance(cls.FIELDS, (list, tuple)) and cls.FIELDS:
        fields = [*map(functools.partial(_as_field, cls), cls.FIELDS)]
        type.__setattr__(owner, 'FIELDS', fields)
    own_init = cls.__init__ is not base.__init__
    schema = Schema(cls, _reserved(base), _adopt if own_init else None)
    type.__setattr__(owner, 'FIELDS', schema.fields)
    type.__setattr__(cls, 'foreignFields', [column.field for column in schema.links])
    schema.install()
    type.__setattr__(cls, '_schema', schema)
    validatedModels.add(cls)


@functools.cache
def _reserved(base: type) -> frozenset[str]:
    """The names that fields cannot have."""
    return frozenset({*dir(base), *vars(ModelType), 'foreignFields'})


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


class Manager:
    """Gives a new helper at every access, on the class or an object."""

    def __init__(self, helper: type[IndexedRedisHelper]) -> None:
        self._helper = helper

    def __get__(self, obj: Any, owner: Any) -> Any:
        owner._validated()
        return self._helper(owner, obj)
