"""The selects of Django models: the key, and the fields that a model of this library has, too."""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Mapping, Set
from typing import Any

import sqlalchemy as sa

from ...errors import UsageError
from ...fields import IRForeignLinkFieldBase
from .types import sql_type

__all__ = ('Tables', 'is_django_model')


def is_django_model(given: Any) -> bool:
    """Return whether something is a model of Django."""
    return (
        isinstance(given, type) and hasattr(given, '_meta') and hasattr(given, '_default_manager')
    )


class Tables:
    """The tables of some Django models.

    :param models: for each model of this library one of Django
    :param zone: of moments that the database stores without one; None without ``USE_TZ``
    :param unseen: for each model fields of Django that are selected, though it may not have them
    :raises UsageError: if a field cannot be mirrored
    """

    def __init__(
        self,
        models: Mapping[Any, Any],
        zone: datetime.tzinfo | None,
        unseen: Mapping[Any, Set[str]],
    ) -> None:
        self._models, self._zone, self._unseen = models, zone, unseen

    def selects(self) -> dict[Any, Any]:
        """Return the select of each model."""
        return {model: self._select(model) for model in self._models}

    def _select(self, model: Any) -> Any:
        fields = [*self._mirrored(model)]
        columns = (_column(field, self._zone) for field in fields)
        table = sa.table(self._models[model]._meta.db_table, *columns)
        return sa.select(*(table.c[field.column].label(field.name) for field in fields))

    def keys(self) -> dict[Any, str]:
        """Return the primary key of each model."""
        return {model: given._meta.pk.name for model, given in self._models.items()}

    def left_out(self, model: Any) -> dict[str, None]:
        """Return the key if the model has no such field: it only tells rows apart."""
        given = self._models.get(model)
        key = given and given._meta.pk.name
        return {key: None} if key and key not in _names(model) else {}

    def links(self) -> dict[tuple[Any, str], Any]:
        """Return the selects of join tables that feed multi links."""
        found = {}
        for model, given in self._models.items():
            for field in given._meta.many_to_many:
                if field.name in _names(model):
                    through = field.remote_field.through._meta
                    ends = [
                        through.get_field(name).column
                        for name in (field.m2m_field_name(), field.m2m_reverse_field_name())
                    ]
                    table = sa.table(through.db_table, *map(sa.column, {*ends, through.pk.column}))
                    select = sa.select(*(table.c[end] for end in ends))
                    found[model, field.name] = select.order_by(table.c[through.pk.column])
        return found

    def _mirrored(self, model: Any) -> Iterator[Any]:
        """Yield the key, and the fields of Django whose name a model has, or that it needs."""
        meta = self._models[model]._meta
        names = _names(model) | self._unseen[model]
        for field in meta.concrete_fields:
            if field.name not in names and field is not meta.pk:
                continue
            if field.model._meta.concrete_model is not meta.concrete_model:
                raise UsageError(
                    f'{model.__name__}.{field.name}: {meta.label} inherits it from another table. '
                    'Give a select instead of the model: a join of both tables.'
                )
            self._check_target(model, field)
            yield field

    def _check_target(self, model: Any, field: Any) -> None:
        """Check that a foreign key holds the key of the model that it leads to."""
        link = {each.name: each for each in model.FIELDS}.get(field.name)
        if not isinstance(link, IRForeignLinkFieldBase) or not field.is_relation:
            return
        if not field.target_field.primary_key:
            raise UsageError(
                f'{model.__name__}.{field.name}: {field.model._meta.label} refers to '
                f'{field.target_field.name!r}, which is no primary key. Give a select with the '
                'primary key instead of the model.'
            )


def _names(model: Any) -> set[str]:
    return {field.name for field in model.FIELDS}


def _column(field: Any, zone: datetime.tzinfo | None) -> Any:
    name = field.column
    while field.is_relation:  # it is stored as the key that it leads to
        field = field.target_field
    return sa.column(name, sql_type(field, zone))
