"""The format of an export: JSON lines.

The rule: stored bytes come back byte for byte, and a file that was cut short is refused.

The header has the version of the format, the model and its fields. Each object is a line: its pk
as ``_id``, and its fields. Text stands for stored UTF-8, null for null, ``{"base64": ...}`` for
other bytes; a field that the row lacks is left out. The last line is ``{"end": NUMBER}``, the
number of objects.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from ..errors import UsageError
from ..fields import IR_NULL_BYTES
from ..fields.base.primary_keys import HIGHEST_PK
from .exact import kind_of

__all__ = ('VERSION', 'Reader', 'footer', 'header', 'line')

VERSION = 1


def header(model: Any) -> bytes:
    """Return the first line of an export of a model."""
    fields = {field.name: kind_of(field) for field in model.FIELDS}
    return _dump(
        {
            'indexedredis': VERSION,
            'model': model.__name__,
            'key_name': str(model.KEY_NAME),
            'fields': fields,
        }
    )


def line(pk: int, values: dict[str, bytes | None]) -> bytes:
    """Return the line of an object."""
    shown = {name: _shown(stored) for name, stored in values.items() if stored is not None}
    return _dump({'_id': pk, **shown})


def footer(count: int) -> bytes:
    """Return the last line."""
    return _dump({'end': count})


def _dump(value: Any) -> bytes:
    text = json.dumps(value, ensure_ascii=False, separators=(', ', ': '))
    return text.encode('utf-8') + b'\n'


def _shown(stored: bytes) -> Any:
    if stored == IR_NULL_BYTES:
        return None
    try:
        return stored.decode('utf-8')
    except UnicodeDecodeError:
        return {'base64': base64.b64encode(stored).decode('ascii')}


class Line(NamedTuple):
    """An object, and the number of its line."""

    number: int
    pk: int | None
    values: dict[str, bytes]


class Reader:
    """Reads an export.

    :param lines: the lines of a binary file
    :param model: the model that the export must be of
    :raises UsageError: if the header does not fit the model
    """

    def __init__(self, lines: Iterable[bytes], model: Any) -> None:
        self._lines = enumerate(lines, 1)
        self._model = model
        self._fields = {field.name for field in model.FIELDS}
        self._count = 0
        number, first = next(self._lines, (1, b''))
        self.header = _Loaded(number, first).value
        #: fields of the model that the export lacks
        self.lacking: list[str] = []
        self._check_header()

    def _check_header(self) -> None:
        header, model = self.header, self._model
        fields = header.get('fields')
        if 'indexedredis' not in header or not isinstance(fields, dict):
            raise UsageError('line 1: this is no export of IndexedRedis; it has no header.')
        if header['indexedredis'] != VERSION:
            raise UsageError(
                f'line 1: the format has version {header["indexedredis"]!r}; this program reads '
                f'version {VERSION}.'
            )
        if header.get('model') != model.__name__:
            raise UsageError(
                f'line 1: this is an export of {header.get("model")}, not of {model.__name__}.'
            )
        kinds = {field.name: kind_of(field) for field in model.FIELDS}
        for name, kind in fields.items():
            if kinds.get(name) != kind:
                there = f'is {kinds[name]} in' if name in kinds else 'is no field of'
                raise UsageError(f'line 1: {name}, exported as {kind}, {there} {model.__name__}.')
        self.lacking = [name for name in kinds if name not in fields]

    def __iter__(self) -> Iterator[Line]:
        """Yield the objects.

        :raises UsageError: if a line is wrong; the message has its number
        """
        for number, raw in self._lines:
            loaded = _Loaded(number, raw)
            if set(loaded.value) == {'end'}:
                return self._end(loaded)
            yield loaded.as_line(self._fields)
            self._count += 1
        raise UsageError(
            f'line {self._count + 2}: the export was cut short; the last line, with the number of '
            'objects, is missing.'
        )

    def _end(self, loaded: _Loaded) -> None:
        if loaded.value['end'] != self._count:
            raise loaded.error(f'{loaded.value["end"]} objects were exported, {self._count} read')
        for number, raw in self._lines:
            if raw.strip():
                raise UsageError(f'line {number}: a line follows the end of the export.')


class _Loaded:
    """One line, parsed as JSON."""

    def __init__(self, number: int, raw: bytes) -> None:
        self.number = number
        try:
            self.value = json.loads(raw)
        except (ValueError, RecursionError) as error:
            raise self.error(f'the line is no JSON ({error})') from None
        if not isinstance(self.value, dict):
            raise self.error('the line is no JSON object')

    def error(self, why: str) -> UsageError:
        return UsageError(f'line {self.number}: {why}.')

    def as_line(self, fields: set[str]) -> Line:
        values = dict(self.value)
        pk = values.pop('_id', None)
        if pk is not None and (type(pk) is not int or not 1 <= pk <= HIGHEST_PK):
            raise self.error(f'_id is {pk!r}, which is no primary key')
        unknown = values.keys() - fields
        if unknown:
            raise self.error(f'there is no field {min(unknown)!r}')
        stored = {name: self._stored(name, value) for name, value in values.items()}
        return Line(self.number, pk, stored)

    def _stored(self, name: str, value: Any) -> bytes:
        if value is None:
            return IR_NULL_BYTES
        try:
            if isinstance(value, str):
                return value.encode('utf-8')
            if isinstance(value, dict) and set(value) == {'base64'}:
                return base64.b64decode(value['base64'], validate=True)
        except (TypeError, ValueError, binascii.Error) as error:
            raise self.error(f'{name}: {error}') from None
        raise self.error(f'{name} is neither text, nor null, nor {{"base64": ...}}')
