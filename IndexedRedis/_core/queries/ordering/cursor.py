"""Cursors: the place where a page ended, as text for a URL. Pure.

A cursor holds the order, the pk of the last object, and what was stored in the fields of the order.
So the next page begins behind that place, wherever the object has gone since.
"""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from typing import Any

from ....errors import UsageError
from ...column import Column
from ...keys import is_allowed_pk
from ...mapping.decoder import Row
from ...text import shorten
from .order import By, Entry, columns_of_order, keys_of

__all__ = ('cursor_of', 'entry_of_cursor', 'entry_of_object')


def cursor_of(order: Sequence[By], columns: Sequence[Column], pk: int, row: Row) -> str:
    """Return the cursor behind a row."""
    stored = [row[columns.index(column)] for column in columns_of_order(order)]
    texts = [None if each is None else each.decode('latin-1') for each in stored]
    return urlsafe_b64encode(json.dumps([_name(order), pk, texts]).encode('ascii')).decode('ascii')


def entry_of_cursor(model_name: str, order: Sequence[By], cursor: str) -> Entry:
    """Return the place of a cursor.

    :raises UsageError: if it is none, or belongs to another order
    """
    columns = columns_of_order(order)
    try:
        name, pk, stored = _parsed(cursor)
        if name == _name(order) and len(stored) != len(columns):
            raise ValueError
    # Whoever has the URL writes what he likes; deep nesting raises a RecursionError.
    except (ValueError, TypeError, AttributeError, RecursionError):
        raise UsageError(
            f'{model_name}: the value {shorten(repr(cursor))} is no cursor. Pass page.next, or an '
            'object.'
        ) from None
    if name != _name(order):
        raise UsageError(
            f'{model_name}: the cursor belongs to the order {shorten(name)}, and the query '
            f'has the order {_name(order)}. Begin with the first page.'
        )
    return Entry(pk, keys_of(order, columns, pk, stored))


def _parsed(cursor: str) -> tuple[str, int, list[bytes | None]]:
    """Return the order, the pk and the stored values of a cursor.

    :raises ValueError: if it is none; there are others, too
    """
    name, pk, texts = json.loads(urlsafe_b64decode(cursor.encode('ascii')))
    if type(name) is not str or type(pk) is not int or type(texts) is not list:
        raise ValueError
    if not is_allowed_pk(b'%d' % pk):
        raise ValueError
    return name, pk, [None if each is None else each.encode('latin-1') for each in texts]


def entry_of_object(model_name: str, order: Sequence[By], obj: Any) -> Entry:
    """Return the place of an object, by its present values.

    :raises UsageError: if it was never saved, or a field of the order was not fetched
    """
    pk = obj._id
    if pk is None:
        raise UsageError(f'{model_name}: an object without a pk has no place. Save it first.')
    keys: list[Any] = []
    for by in order:
        if by.column is None:
            keys.append(pk)
        elif obj._state.knows(by.column.name):
            keys.append(by.column.order_key_of(getattr(obj, by.column.name)))
        else:
            raise UsageError(
                f'{by.column.label} was not fetched, so the place of the object is unknown. '
                f'Fetch it: only(..., {by.column.name!r}).'
            )
    return Entry(pk, tuple(keys))


def _name(order: Sequence[By]) -> str:
    """Return the order as text: ``price,-released``, with ``nulls first`` where that is so."""
    text = ','.join(map(str, order))
    return f'{text} nulls first' if order[0].nulls_first else text
