"""Stored bytes as text for pages, and the text of forms as values.

The rule: a page shows the stored bytes, as they are or as digits, and nothing is unpickled. A form
offers a field only if its text comes back byte for byte.
"""

from __future__ import annotations

import unicodedata
from hashlib import sha256
from typing import Any, NamedTuple

from .. import IRField, IRFieldChain, IRForeignLinkFieldBase, IRRawField, getDefaultIREncoding
from ..fields import (
    IR_NULL_BYTES,
    IRBytesField,
    IRCompressedField,
    IREnumField,
    IRPickleField,
    irNull,
)

__all__ = ('Shown', 'Typed', 'choices', 'has_changed', 'is_editable', 'shown', 'value_of')

# Kinds of fields whose stored form no form can hold.
BINARY = (IRRawField, IRBytesField, IRCompressedField, IRFieldChain, IRPickleField)
# Characters of a value in a list, and on the page of its object; bytes as digits there.
IN_LISTS, ON_PAGES, BYTES_ON_PAGES = 100, 100_000, 4096
# Line ends and tabs, which text on a page and in a form keeps.
LAYOUT = '\n\t'


class Shown(NamedTuple):
    """A stored value as text.

    :param kind: ``'text'``; ``'null'``; ``'absent'``, if the row lacks the field, with the default
        as text; ``'escaped'``, for text with characters that a page cannot show; ``'bytes'``
    :param text: the text, or the bytes as hexadecimal digits
    :param size: number of stored bytes
    :param mark: changes whenever the stored bytes do; empty if there are none
    """

    kind: str
    text: str
    size: int
    mark: str

    @property
    def short(self) -> str:
        """The text on one line, at most 100 characters."""
        line = self.text[: IN_LISTS + 1].replace('\n', ' ').replace('\t', ' ')
        return line if len(line) <= IN_LISTS else f'{line[:IN_LISTS]}\N{HORIZONTAL ELLIPSIS}'

    @property
    def long(self) -> str:
        """The text, at most 100,000 characters."""
        return self.text[:ON_PAGES]

    @property
    def left_out(self) -> int:
        """How many stored bytes, or characters, :attr:`long` lacks."""
        if self.kind == 'bytes':
            return max(0, self.size - BYTES_ON_PAGES)
        return max(0, len(self.text) - ON_PAGES)

    @property
    def null(self) -> bool:
        """Whether the value is null."""
        return self.kind == 'null'


class Typed(NamedTuple):
    """What a form sent for a field.

    :param text: the text
    :param null: whether null was ticked
    :param mark: the mark of the value that the form showed
    """

    text: str
    null: bool
    mark: str = ''


def shown(field: IRField, stored: bytes | None) -> Shown:
    """Return the stored bytes of a field as text.

    :param stored: None if the row lacks the field
    """
    if stored is None:
        default = shown(field, _default(field))
        return default._replace(kind='absent' if default.kind == 'text' else default.kind, mark='')
    size, mark = len(stored), _mark(stored)
    if stored == IR_NULL_BYTES and not isinstance(field, IRRawField):
        return Shown('null', '', size, mark)
    text = None if _is_pickled(field) else _decoded(stored, _encoding(field))
    if text is None:
        return Shown('bytes', stored[:BYTES_ON_PAGES].hex(' '), size, mark)
    if all(map(_has_a_glyph, text)):
        return Shown('text', text, size, mark)
    return Shown('escaped', repr(text), size, mark)


def is_editable(field: IRField, now: Shown) -> bool:
    """Return whether a form can hold the value that a field has now, and each other one."""
    plain = not isinstance(field, BINARY) and field.valueType is not bytes
    untyped = field.valueType is None and not isinstance(field, IRForeignLinkFieldBase)
    whole = now.kind in ('text', 'null', 'absent') and len(now.text) <= ON_PAGES
    return plain and not untyped and whole


def choices(field: IRField) -> list[str]:
    """Return the texts of which a value is one; empty if there are too many to list."""
    if isinstance(field, IREnumField):
        return [str(field.toStorage(member)) for member in field.enumClass]
    return ['True', 'False'] if field.valueType is bool else []


def has_changed(field: IRField, typed: Typed) -> bool:
    """Return whether a form sent something else than it showed."""
    if not typed.mark:
        default = shown(field, None)
        return (typed.text, typed.null) != (default.text, default.null)
    try:
        sent = IR_NULL_BYTES if typed.null else typed.text.encode(_encoding(field))
    except UnicodeError:
        return True
    return _mark(sent) != typed.mark


def value_of(field: IRField, typed: Typed) -> Any:
    """Return the value that a form sent.

    :raises ValueError: if the field cannot hold it
    """
    try:
        return irNull if typed.null else field.fromInput(typed.text)
    except Exception as error:  # a field type may raise anything
        why = str(error) or type(error).__name__
        raise ValueError(f'{typed.text!r:.100} does not fit: {why}') from error


def _default(field: IRField) -> bytes:
    """Return the stored form of the default of a field."""
    stored = field.toStorage(field.getDefaultValue())
    return stored if isinstance(stored, bytes) else str(stored).encode(_encoding(field))


def _mark(stored: bytes) -> str:
    return sha256(stored).hexdigest()


def _is_pickled(field: IRField) -> bool:
    links = getattr(field, 'chainedFields', ())
    return any(isinstance(each, IRPickleField) for each in (field, *links))


def _encoding(field: IRField) -> str:
    own = getattr(field, 'encoding', None) or field.storageEncoding
    return own or getDefaultIREncoding()


def _decoded(stored: bytes, encoding: str) -> str | None:
    """Return bytes as text; None if the text would not give the same bytes."""
    try:
        text = stored.decode(encoding)
        return text if text.encode(encoding) == stored else None
    except (UnicodeError, LookupError):
        return None


def _has_a_glyph(character: str) -> bool:
    return character.isprintable() or character in LAYOUT or unicodedata.category(character) == 'Zs'
