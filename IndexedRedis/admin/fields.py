"""The fields of a model as starlette-admin knows them."""

from __future__ import annotations

from typing import Any, NamedTuple

from starlette.datastructures import FormData
from starlette.requests import Request
from starlette_admin import BaseField

from .. import IRField, IRForeignLinkFieldBase
from . import values
from .filters import filters_of

__all__ = ('PK', 'PkField', 'Row', 'StoredField', 'admin_name')

# The name of the primary key, which no field can have.
PK = '_id'


class Row(NamedTuple):
    """The stored bytes of an object, by field; None where the row lacks a field."""

    pk: int
    stored: dict[str, bytes | None]

    @property
    def _id(self) -> int:
        """The pk, by the name that starlette-admin asks for."""
        return self.pk


class PkField(BaseField):
    """The primary key."""

    def __init__(self) -> None:
        super().__init__(
            PK, label='pk', read_only=True, searchable=False, list_template='ir/pk.html'
        )

    async def parse_obj(self, request: Request, obj: Any) -> int:
        """Return the pk of a row."""
        pk: int = obj._id
        return pk


class StoredField(BaseField):
    """A field: its stored bytes as text.

    :param name: its name in URLs and forms
    :param source: the field of the model
    :param indexed: whether it can be filtered by equality
    :param is_sorted: whether it can be filtered by ranges
    """

    def __init__(self, name: str, source: IRField, indexed: bool, is_sorted: bool) -> None:
        super().__init__(
            name,
            label=source.name,
            filters=filters_of(source, indexed, is_sorted),
            list_template='ir/value_in_list.html',
            detail_template='ir/value.html',
            form_template='ir/input.html',
            label_template='ir/label.html',
        )
        self.source: Any = source
        self.choices = values.choices(source)
        self.is_link = isinstance(source, IRForeignLinkFieldBase)

    @property
    def hint(self) -> str:
        """What the field takes, in a word."""
        kind = getattr(self.source.valueType, '__name__', '')
        if isinstance(self.source, IRForeignLinkFieldBase):
            many = 'pks, with commas between them,' if self.source.isMulti() else 'pk'
            return f'{many} of {self.source.foreignModel.__name__}'
        return {'str': '', 'IRJsonValue': 'JSON', 'IRDatetimeValue': 'datetime'}.get(kind, kind)

    async def parse_obj(self, request: Request, obj: Any) -> values.Shown:
        """Return the stored value of a row as text."""
        return values.shown(self.source, obj.stored.get(self.source.name))

    async def get_create_default(self, request: Request) -> values.Shown:
        """Return the default as text."""
        return values.shown(self.source, None)

    async def parse_form_data(self, request: Request, form_data: FormData) -> values.Typed | None:
        """Return what a form sent; None if it did not offer the field."""
        text, mark = form_data.get(self.id), str(form_data.get(f'{self.id}.mark', ''))
        if f'{self.id}.mark' not in form_data:
            return None
        # Forms send line ends as CR LF; text with a CR of its own is not offered.
        plain = str(text or '').replace('\r\n', '\n')
        return values.Typed(plain, f'{self.id}.null' in form_data, mark)

    async def validate(self, request: Request, value: Any, form_values: dict[str, Any]) -> None:
        """Check that the field can hold what a form sent.

        :raises ValueError: if it cannot
        """
        if isinstance(value, values.Typed):
            values.value_of(self.source, value)

    def editable(self, stored: bytes | None) -> bool:
        """Return whether a form can hold what is stored; None: the default."""
        return values.is_editable(self.source, values.shown(self.source, stored))

    def offers(self, data: Any) -> bool:
        """Return whether a form offers the field: to show a value, or what it sent."""
        if isinstance(data, values.Shown):
            return values.is_editable(self.source, data)
        return data is not None


def admin_name(field: IRField, number: int) -> str:
    """Return the name of a field in URLs: its own if no parser can mistake it."""
    name = field.name
    return name if name.isidentifier() and '__' not in name else f'field{number}'
