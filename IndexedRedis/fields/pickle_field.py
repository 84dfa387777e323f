"""``IRPickleField``: any object that Python can pickle.

Unless ``allow`` restricts the classes, everyone who can write to the database can run code in the
processes that read such a field.
"""

from __future__ import annotations

import builtins
import io
import pickle
from _compat_pickle import IMPORT_MAPPING, NAME_MAPPING
from collections.abc import Iterable
from typing import Any, Unpack

from ..generics import I, N
from .base import IRField
from .base.field import Listed
from .null import irNull

__all__ = ('IRPickleField',)

# Built-in types whose construction runs no code of others.
_HARMLESS = {
    *('bool', 'bytearray', 'bytes', 'complex', 'dict', 'float', 'frozenset', 'int', 'list'),
    *('object', 'range', 'set', 'slice', 'str', 'tuple'),
}


class IRPickleField(IRField[Any, N, I]):
    """A field of any object that can be pickled; it cannot be indexed. None is an ordinary value.

    :param name: name of the field
    :param defaultValue: the default value
    :param allow: the classes that may be unpickled besides built-in types; None allows all
    """

    CAN_INDEX = False
    noneIsNull = False

    # The protocol of 6.0.3, which all versions of Python read.
    protocol = 2

    def __init__(
        self,
        name: str = '',
        defaultValue: Any = irNull,
        allow: Iterable[type] | None = None,
        **listed: Unpack[Listed],
    ) -> None:
        super().__init__(name, valueType=None, defaultValue=defaultValue, **listed)
        self.allow = None if allow is None else tuple(allow)

    def _fromInput(self, value: Any) -> Any:
        return value

    def _toStorage(self, value: Any) -> Any:
        if isinstance(value, (str, bytes)) and not value:
            return b''
        return pickle.dumps(value, self.protocol)

    def _fromStorage(self, stored: Any) -> Any:
        if not stored:
            return ''
        if self.allow is None:
            return pickle.loads(stored)
        return _Restricted(stored, self.allow).load()

    def _properties(self) -> list[tuple[str, Any]]:
        return [('defaultValue', repr(self.defaultValue))]


class _Restricted(pickle.Unpickler):
    def __init__(self, stored: bytes, allowed: tuple[type, ...]) -> None:
        super().__init__(io.BytesIO(stored))
        self._allowed = {(cls.__module__, cls.__qualname__): cls for cls in allowed}

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) == ('_codecs', 'encode'):
            return _latin1_encode
        for place in ((module, name), _modern(module, name)):
            if place[0] == 'builtins' and place[1] in _HARMLESS:
                return getattr(builtins, place[1])
            if place in self._allowed:
                return self._allowed[place]
        raise pickle.UnpicklingError(f'{module}.{name} is not in the allow list of the field')


def _modern(module: str, name: str) -> tuple[str, str]:
    """Return the name of Python 3 for one of Python 2, which protocol 2 writes."""
    if (module, name) in NAME_MAPPING:
        return NAME_MAPPING[module, name]
    return IMPORT_MAPPING.get(module, module), name


def _latin1_encode(text: str, encoding: str) -> bytes:
    """Stand in for ``_codecs.encode``, which protocol 2 calls to restore bytes."""
    if encoding != 'latin1':
        raise pickle.UnpicklingError(f'the codec {encoding!r} is not allowed')
    return text.encode('latin1')
