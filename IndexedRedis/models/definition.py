"""The metaclass of models. It validates a definition at the first use of the model.

A change of the definition has it validated again at the next use.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator, MutableSet
from typing import Any, TypeVar
from weakref import WeakSet, WeakValueDictionary

from .._core.mapping.schema import Schema
from .._core.objects import state
from ..deprecated import deprecatedMessage
from ..errors import UsageError
from ..executors.pools.locks import ForkSafeLock
from ..fields import IRClassicField, IRField
from ..fields.foreign import register_model
from .class_form import declare
from .hints import Hinted

__all__ = ('ModelType', 'validatedModels')

_DEFINITION = (
    *('FIELDS', 'INDEXED_FIELDS', 'SORTED_FIELDS', 'UNIQUE_FIELDS', 'KEY_NAME'),
    *('CLIENT_SIDE_CACHE', 'UNKNOWN_NAMES', 'REPLICA_READS', 'ACKNOWLEDGED_BY'),
    *('PARTITIONS', 'PARTITION_BY'),
)
_lock = ForkSafeLock()
Model = TypeVar('Model')


class _ValidatedModels(MutableSet[Any]):
    """The set of validated models. A model that is removed is validated again at its next use.

    It holds weak references, so that dropped models are freed.
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


class ModelType(Hinted):
    """The class of models; it holds the schema of each."""

    _schema: Schema | None
    _is_validated: bool
    _alternatives: WeakValueDictionary[Any, Any]
    #: the fields that are attributes, by the class that has them, of the model and its bases
    _declared: dict[Any, dict[str, IRField]]
    _lists_fields: bool

    def __init__(
        cls, name: str, bases: tuple[type, ...], namespace: dict[str, Any], **options: Any
    ) -> None:
        super().__init__(name, bases, namespace)
        declare(cls)
        type.__setattr__(cls, '_schema', None)
        type.__setattr__(cls, '_is_validated', False)
        type.__setattr__(cls, '_alternatives', WeakValueDictionary())
        with _lock:
            register_model(cls)

    def __setattr__(cls, name: str, value: Any) -> None:
        if isinstance(value, IRField) and not value.name:
            raise UsageError(
                f'{cls.__name__}.{name}: a field is an attribute in the body of the class, or an '
                'item of FIELDS; it cannot be added to the class later.'
            )
        super().__setattr__(name, value)
        if name == 'FIELDS':
            type.__setattr__(cls, '_lists_fields', True)
        if name in _DEFINITION:
            cls._outdate()

    def __delattr__(cls, name: str) -> None:
        super().__delattr__(name)
        if name in _DEFINITION:
            cls._outdate()

    def _outdate(cls) -> None:
        validatedModels.discard(cls)
        subclasses: list[Any] = cls.__subclasses__()
        for subclass in subclasses:
            subclass._outdate()

    def _is_variant(cls, other: type) -> bool:
        """Return whether ``other`` is a copy or another connection of this model."""
        related = issubclass(other, cls) or issubclass(cls, other)
        # A subclass with its own KEY_NAME is another model, with other objects under the same pks.
        return related and other.KEY_NAME == cls.KEY_NAME  # type: ignore[attr-defined]

    def _derived(cls: type[Model], name: str, **attributes: Any) -> type[Model]:
        """Return a subclass of this model with other attributes."""
        return ModelType(name, (cls,), {'__module__': cls.__module__, **attributes})  # type: ignore[return-value]

    def _validated(cls) -> Schema:
        """Return the schema; validate the definition first if needed.

        :raises InvalidModelException: with every problem of the definition
        """
        if not cls._is_validated:
            with _lock:
                if not cls._is_validated:
                    _define(cls)
        return cls._schema  # type: ignore[return-value]


def _define(cls: Any) -> None:
    base = next(each for each in cls.__mro__ if '_is_ir_base' in vars(each))
    if cls is base:
        raise UsageError('IndexedRedisModel is the base of models; derive a class from it.')
    # Inherited FIELDS stay on the base, so that a later change of the base reaches this class.
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
    """Return the names that fields cannot have."""
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
    """Call the ``__init__`` of a user's model for a fetched object, as 6.0.3 does."""
    values = {}
    for name, column in type(obj)._schema.columns.items():
        try:
            values[name] = state.value_of(obj, column)
        except ValueError:
            continue
    obj.__init__(_id=obj._id, **values)
