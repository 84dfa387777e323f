"""Decode rows of stored bytes to dicts, tuples or single values, by generated code.

A null is None, as in ``asDict()``, and a link is the pk of its target. No object is made, so a
value that cannot be decoded has no place to wait in: it raises.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ...encoding import getDefaultIREncoding
from ...fields.null import IR_NULL_BYTES, irNull
from ..column import Column
from .decoder import ROWS_WITHOUT_MEMO, Memo, Row, converted, has_memo

__all__ = ('PK_NAMES', 'Shape', 'ValueDecoder', 'plain_value')

# Names of the pk, besides those of fields. A field may be named pk, and then it comes first.
PK_NAMES = ('pk', '_id')


class Shape:
    """What an item of the result is."""

    DICT = 'dict'  # {name: value}
    TUPLE = 'tuple'
    SINGLE = 'single'  # the value of one name


_TEMPLATE = """\
def build(pks, rows, {memos}):
    null = NULL
    return [{item} for pk, ({variables}) in zip(pks, rows)]
"""


def plain_value(column: Column, value: Any) -> Any:
    """Return the value of an attribute as ``values()`` has it."""
    if value is irNull:
        return None
    return value.getPk() if column.is_link else value


def _item(names: Sequence[str], columns: Sequence[Column], shape: str, many: bool) -> str:
    places = {column.name: i for i, column in enumerate(columns)}
    converters = [converted(i, c, many and c.immutable) for i, c in enumerate(columns)]
    values = [converters[places[name]] if name in places else 'pk' for name in names]
    if shape == Shape.DICT:
        pairs = zip(names, values, strict=True)
        return '{' + ', '.join(f'{name!r}: {value}' for name, value in pairs) + '}'
    return values[0] if shape == Shape.SINGLE else f'({", ".join(values)},)'


class ValueDecoder:
    """Builds the items of ``values()`` and ``valuesList()`` from rows.

    :param names: names of columns, and of the pk
    :param columns: the columns of these names, each once, in the order of the rows
    :param shape: one of :class:`Shape`
    """

    def __init__(self, names: Sequence[str], columns: Sequence[Column], shape: str) -> None:
        #: the default encoding that the decoders were made for
        self.encoding = getDefaultIREncoding()
        #: the columns of the rows
        self.columns = columns
        self._decoders = [_decoder(column) for column in columns]
        # Mutable values are decoded row by row, so that no two items share one.
        self._memos = [column.immutable and has_memo(column) for column in columns]
        self._build_few = self._compile(_item(names, columns, shape, many=False))
        self._build_many = self._compile(_item(names, columns, shape, many=True))

    def _compile(self, item: str) -> Callable[..., list[Any]]:
        numbers = range(len(self.columns))
        source = _TEMPLATE.format(
            memos=', '.join(f'm{i}' for i in numbers),
            variables=''.join(f'v{i}, ' for i in numbers),
            item=item,
        )
        namespace: dict[str, Any] = {'NULL': IR_NULL_BYTES}
        exec(source, namespace)
        build: Callable[..., list[Any]] = namespace['build']
        return build

    def items(
        self,
        pks: Sequence[int],
        rows: Sequence[Row],
        drawn: bytes,
        memos: list[Any] | None = None,
    ) -> list[Any]:
        """Return the items of these pks and rows.

        :param drawn: not used; plain values belong to no object
        :param memos: as of :meth:`RowDecoder.objects`
        :raises UnreadableValueError: if stored bytes cannot be decoded
        """
        try:
            if len(rows) <= ROWS_WITHOUT_MEMO:
                return self._build_few(pks, rows, *self._decoders)
            memos = [] if memos is None else memos
            if not memos:
                pairs = zip(self._decoders, self._memos, strict=True)
                memos += (Memo(decode) if memo else decode for decode, memo in pairs)
            return self._build_many(pks, rows, *memos)
        except Exception:
            for pk, row in zip(pks, rows, strict=True):
                for column, stored in zip(self.columns, row, strict=True):
                    column.decode(stored, pk)  # raises an error that names the object
            raise


def _decoder(column: Column) -> Callable[[bytes | None], Any]:
    decode = column.decoder()
    return lambda stored: plain_value(column, decode(stored))
