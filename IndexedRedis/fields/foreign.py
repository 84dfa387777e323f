"""Link fields: links to one object, or to a list of objects, of another model. They store pks.

A model given by name is resolved at the first use of the link, so models may link to each other.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Self, Unpack, overload
from weakref import WeakValueDictionary

from ..generics import I, N, O, T
from .base import IRField
from .base.field import Listed
from .base.link_data import ForeignLinkData, ForeignLinkDataBase, ForeignLinkMultiData
from .base.primary_keys import new_primary_key
from .null import irNull

__all__ = (
    'ForeignLinkData',
    'ForeignLinkDataBase',
    'ForeignLinkMultiData',
    'IRForeignLinkField',
    'IRForeignLinkFieldBase',
    'IRForeignMultiLinkField',
    'register_model',
)

# The newest model of each name and module, the newest of all last.
_models: WeakValueDictionary[tuple[str, str], Any] = WeakValueDictionary()


class _Candidates(dict[str, Any]):
    """The models of one name, by their modules.

    Link fields that use the name hold this object, so the models stay while a field may ask.
    """

    __slots__ = ('__weakref__', 'name')

    def __init__(self, name: str) -> None:
        self.name = name
        super().__init__((where[1], model) for where, model in _models.items() if where[0] == name)

    def __reduce__(self) -> Any:
        return _candidates, (self.name,)


_in_use: WeakValueDictionary[str, _Candidates] = WeakValueDictionary()


def _candidates(name: str) -> _Candidates:
    found = _in_use.get(name)
    if found is None:
        found = _in_use[name] = _Candidates(name)
    return found


def register_model(model: Any) -> None:
    """Let links find a model by its name. Holds the model weakly."""
    name, module = model.__name__, model.__module__
    _models.pop((name, module), None)
    _models[name, module] = model
    candidates = _in_use.get(name)
    if candidates is not None:
        candidates.pop(module, None)
        candidates[module] = model


class IRForeignLinkFieldBase(IRField[T, N, I]):
    """The base of single and multi links.

    :param name: name of the field; for an attribute of a model it can be left out, so that the
        linked model comes first: ``IRForeignLinkField(Artist)``
    :param foreignModel: the linked model, or its name, such as ``'Author'`` or ``'shop.Author'``
    :param foreignKey: another name of ``foreignModel``
    :raises TypeError: if no model is given
    :raises ValueError: if ``foreignModel`` is neither a model nor a name
    """

    CAN_INDEX = True
    hashIndex = False

    def __init__(
        self,
        name: str = '',
        foreignModel: Any = None,
        foreignKey: Any = None,
        **listed: Unpack[Listed],
    ) -> None:
        if isinstance(name, type):
            name, foreignModel = '', name
        model = foreignKey if foreignModel is None else foreignModel
        if model is None:
            raise TypeError(
                f'link field {name!r} needs the model that it links to. Write foreignModel=, with '
                f'the model or its name, such as foreignModel={name or "Artist"!r}.'
            )
        if not isinstance(model, str) and not (
            isinstance(model, type) and getattr(model, '_is_ir_model', False)
        ):
            raise ValueError(f'link field {name!r}: foreignModel={model!r} is not a model.')
        super().__init__(name, valueType=None, **listed)
        self.CAN_INDEX = True
        self._model: Any = model
        self._candidates = _candidates(model.rpartition('.')[2]) if isinstance(model, str) else None
        #: module of the model that has this field; a plain name means a model of it first
        self.home: str | None = None

    @property
    def foreignModel(self) -> Any:
        """The linked model.

        :raises ValueError: if there is no model of the given name
        """
        name, candidates = self._model, self._candidates
        if isinstance(name, str) and candidates is not None:
            self._model = self._named_model(name, candidates)
            self._candidates = None
        return self._model

    def _named_model(self, name: str, candidates: Mapping[str, Any]) -> Any:
        """Return the newest model of the name, but one of the linking model's module first."""
        module = name.rpartition('.')[0]
        found = candidates.get(module or self.home or '')
        if found is None and candidates and not module:
            found = [*candidates.values()][-1]
        if found is None:
            raise ValueError(
                f'there is no model {name!r} (yet); define it before the link is used, and import '
                'the module that does.'
            )
        return found

    @property
    def valueClass(self) -> Any:
        """The linked model, or ``list``; ``Any`` while the name of the model was not looked up."""
        return list if self.isMulti() else self._model if isinstance(self._model, type) else Any

    @staticmethod
    def isMulti() -> bool:
        """Return True for a link to a list of objects."""
        raise NotImplementedError

    def storage_with(self, value: Any, reserved: Mapping[int, int]) -> Any:
        """Return the stored form of link data, with pks reserved for unsaved targets.

        :param value: link data, or irNull
        :param reserved: reserved pks of unsaved linked objects, by ``id()`` of the object
        """
        pks = [] if value is irNull else [pk for pk in value.pks_with(reserved) if pk is not None]
        return ','.join(map(str, pks)) if pks else super().toStorage(irNull)

    def toStorage(self, value: Any) -> Any:
        """Return the pks as text; null if there are none."""
        return self.storage_with(self.fromInput(value), {})

    def _toIndex(self, value: Any) -> Any:
        return self.toStorage(value)

    def _target(self, value: Any) -> tuple[Any, Any]:
        """Return the pk and the object of an assigned value.

        :raises ValueError: if it is neither an object of the model, nor link data, nor a pk
        """
        if getattr(value, '_is_ir_model', False) and not isinstance(value, type):
            self._check_model(type(value))
            return value._id, value
        if isinstance(value, ForeignLinkData):
            self._check_data(value)
            return value.getPk(), value.obj
        try:
            # Bytes are refused: they are a stored form, also of lists.
            return new_primary_key(None if isinstance(value, bytes) else value), None
        except ValueError:
            raise ValueError(
                f'a link takes an object of {self._model_name()} or a pk (a whole number from 1, '
                f'or its digits), not {value!r}'
            ) from None

    def _check_data(self, data: ForeignLinkDataBase) -> None:
        self._check_model(data.foreignModel)
        for pk in data.getPks():
            if pk is not None:
                new_primary_key(pk)

    def _check_model(self, model: Any) -> None:
        if not self.foreignModel._is_variant(model):
            raise ValueError(
                f'it means {model.__name__}, but the field links to {self._model_name()}'
            )

    def _model_name(self) -> str:
        return self._model if isinstance(self._model, str) else str(self._model.__name__)

    def _properties(self) -> list[tuple[str, Any]]:
        return [('foreignModel', self._model_name())]


class IRForeignLinkField(IRForeignLinkFieldBase[O, N, I]):
    """A link to one object of another model, or of the same.

    Assign an object, a pk or link data; None and 0 mean no link.

    :param name: name of the field
    :param foreignModel: the linked model, or its name
    """

    if TYPE_CHECKING:

        def __init__(
            self,
            name: str | type[O] = '',
            foreignModel: type[O] | str | None = None,
            foreignKey: type[O] | str | None = None,
            **listed: Unpack[Listed],
        ) -> None: ...

        @overload  # type: ignore[override]  # None: the linked object is not stored
        def __get__(self, obj: None, owner: Any) -> Self: ...

        @overload
        def __get__(self, obj: object, owner: Any) -> O | N | None: ...

        def __get__(self, obj: Any, owner: Any) -> Any: ...

        def __set__(self, obj: Any, value: O | N | I | int | ForeignLinkData) -> None: ...

    @staticmethod
    def isMulti() -> bool:
        return False

    def _fromInput(self, value: Any) -> Any:
        if isinstance(value, ForeignLinkData):
            self._check_data(value)
            return value
        if type(value) in (int, str) and value in (0, '0'):
            return irNull
        return ForeignLinkData(self.foreignModel, *self._target(value))

    def _fromStorage(self, stored: Any) -> Any:
        return ForeignLinkData(self.foreignModel, int(stored)) if stored else irNull


class IRForeignMultiLinkField(IRForeignLinkFieldBase[list[O], N, I]):
    """A link to a list of objects of another model, or of the same.

    Assign a list of objects, pks and link data, or pks as text such as ``'1,2'``. A filter matches
    the whole list, in its order.

    :param name: name of the field
    :param foreignModel: the linked model, or its name
    """

    if TYPE_CHECKING:

        def __init__(
            self,
            name: str | type[O] = '',
            foreignModel: type[O] | str | None = None,
            foreignKey: type[O] | str | None = None,
            **listed: Unpack[Listed],
        ) -> None: ...

        @overload  # type: ignore[override]  # None: such an object is not stored
        def __get__(self, obj: None, owner: Any) -> Self: ...

        @overload
        def __get__(self, obj: object, owner: Any) -> list[O | None] | N: ...

        def __get__(self, obj: Any, owner: Any) -> Any: ...

        def __set__(
            self, obj: Any, value: Sequence[O | int] | ForeignLinkMultiData | N | I
        ) -> None: ...

    @staticmethod
    def isMulti() -> bool:
        return True

    def _fromInput(self, value: Any) -> Any:
        if isinstance(value, ForeignLinkMultiData):
            self._check_data(value)
            return value
        if isinstance(value, str):
            value = [part.strip() for part in value.split(',')]
        if not isinstance(value, (list, tuple, set, frozenset)):
            raise ValueError(f'a multi link takes a list of objects or pks, not {value!r}')
        targets = [self._target(item) for item in value if item is not None and item is not irNull]
        if not targets:
            return irNull
        pks, objs = zip(*targets, strict=True)
        return ForeignLinkMultiData(self.foreignModel, pks, objs)

    def _fromStorage(self, stored: Any) -> Any:
        # 6.0.3 writes the text None for unsaved objects.
        pks = [int(part) for part in stored.split(b',') if part not in (b'', b'None')]
        return ForeignLinkMultiData(self.foreignModel, pks) if pks else irNull

    def _legacyIndexes(self, stored: bytes) -> Sequence[Any]:
        # 6.0.3 lists such lists under their stored bytes.
        return [stored] if {b'', b'None'} & {*stored.split(b',')} else []
