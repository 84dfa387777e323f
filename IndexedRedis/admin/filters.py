"""The lookups of the library as filters of a list, and a search as a condition."""

from __future__ import annotations

from collections.abc import Iterable
from functools import reduce
from operator import and_, or_
from typing import Any

from starlette_admin.filters import BaseFilter, FilterDataType, FilterGroup, FilterRule

from .. import IRField, Q
from ..errors import IndexedRedisError

__all__ = ('condition_of', 'filters_of', 'search_condition')


class Lookup(BaseFilter):
    """One lookup of the library: ``FIELD__name=value``."""

    data_type = FilterDataType.STRING
    suffix = ''

    def apply(self, ctx: Any) -> Any:
        """Return the query with the condition added."""
        return ctx.query.filter(self.condition(ctx.field_name, ctx.value, ctx.value2))

    def condition(self, field: str, value: Any, value2: Any) -> Q:
        """Return the condition for a field of the model."""
        return Q(**{f'{field}__{self.suffix or self.name}': value})


def _lookup(name: str, label: str) -> type[Lookup]:
    return type(name, (Lookup,), {'name': name, 'label': label})


class IsNull(Lookup):
    """The field is null."""

    name, label, data_type = 'isnull', 'is null', FilterDataType.NONE
    wanted = True

    def condition(self, field: str, value: Any, value2: Any) -> Q:
        """Return the condition for a field of the model."""
        return Q(**{f'{field}__isnull': self.wanted})


class NotNull(IsNull):
    """The field is not null."""

    name, label, wanted = 'notnull', 'is not null', False


class Between(Lookup):
    """The value lies between two values, or is one of them."""

    name, label, has_value2 = 'between', 'is between', True

    def condition(self, field: str, value: Any, value2: Any) -> Q:
        """Return the condition for a field of the model."""
        return Q(**{f'{field}__between': (value, value2)})


EQUALITY: list[type[BaseFilter]] = [
    *(_lookup('eq', 'is'), _lookup('ne', 'is not'), IsNull, NotNull),
]
RANGES: list[type[BaseFilter]] = [
    *(_lookup('gte', 'is at least'), _lookup('gt', 'is above')),
    *(_lookup('lte', 'is at most'), _lookup('lt', 'is below'), Between),
]
STARTS_WITH = _lookup('startswith', 'starts with')


def filters_of(field: IRField, indexed: bool, is_sorted: bool) -> list[type[BaseFilter]]:
    """Return the filters that a list offers for a field."""
    starts = [STARTS_WITH] if is_sorted and field.valueType is str else []
    return [*(EQUALITY if indexed else ()), *(RANGES if is_sorted else ()), *starts]


def condition_of(node: FilterGroup | FilterRule, fields: dict[str, Any]) -> Q | None:
    """Return the condition of a list's filters; None if there are none.

    :param fields: the fields of the view by their names in URLs
    """
    if isinstance(node, FilterRule):
        field = fields[node.field]
        lookup = next(each for each in field.filters if each.name == node.filter)
        condition: Q = lookup().condition(field.source.name, node.value, node.value2)
        return condition
    inner = [condition_of(rule, fields) for rule in node.rules]
    return _joined(and_ if node.logic == 'and' else or_, inner)


def search_condition(model: Any, indexed: Iterable[str], text: str) -> Q | None:
    """Return the condition that the pk or any indexed field has a value.

    :returns: None if none of them can hold it
    """
    found = []
    for name in ('pk', *indexed):
        try:
            model.objects.filter(**{f'{name}__eq': text})
        except (IndexedRedisError, ValueError, TypeError):
            continue  # the field cannot hold the text
        found.append(Q(**{f'{name}__eq': text}))
    return _joined(or_, found)


def _joined(how: Any, conditions: Iterable[Q | None]) -> Q | None:
    given = [each for each in conditions if each is not None]
    return reduce(how, given) if given else None
