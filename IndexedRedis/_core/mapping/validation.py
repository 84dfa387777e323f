"""The validation of a model's definition. It reports every problem at once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from ...fields.base import IRField
from ...fields.null import irNull
from ..column import Column
from ..keys import RESERVED_SEGMENTS
from ..objects.unknown_names import ACTIONS
from ..replication import FRESHNESS
from ..text import near_miss
from .of_partitions import partition_problems

__all__ = ('indexed_fields', 'names_in', 'problems', 'sorted_fields', 'unique_fields')

_REMOVED = ('BASE64_FIELDS', 'BINARY_FIELDS')


def problems(cls: Any, reserved: Any) -> list[str]:
    """Return the problems of a definition, each with its remedy.

    :param cls: the model
    :param reserved: names that fields cannot have: the attributes of the base model
    """
    from .annotations import annotation_problems  # a tenth of the import time, most of it inspect

    found = [*_key_name_problems(getattr(cls, 'KEY_NAME', None)), *_removed_attributes(cls)]
    found.extend(_cache_problems(getattr(cls, 'CLIENT_SIDE_CACHE', 0)))
    found.extend(_unknown_names_problems(getattr(cls, 'UNKNOWN_NAMES', None)))
    found.extend(_replica_problems(cls))
    fields = cls.FIELDS
    if not isinstance(fields, (list, tuple)):
        return [*found, f'FIELDS is {fields!r}; it must be a list of fields.']
    if not fields:
        return [*found, 'FIELDS is empty; list at least one field, such as IRField("name").']
    proper = [field for field in fields if isinstance(field, IRField)]
    for item in fields:
        if not isinstance(item, IRField):
            found.append(f'FIELDS holds {item!r}, which is no field; use IRField("name").')
    found.extend(_field_problems(cls.__name__, proper, reserved))
    found.extend([*_unlisted(cls, proper), *_misnamed(cls, proper)])
    found.extend(annotation_problems(cls, [each for each in proper if each.name not in reserved]))
    indexed, ordered = indexed_fields(cls), sorted_fields(cls)
    found.extend(_listed_problems('INDEXED_FIELDS', indexed, proper, _why_not_indexed))
    found.extend(_listed_problems('SORTED_FIELDS', ordered, proper, _why_not_sorted))
    unique = unique_fields(cls)
    found.extend(_unique_problems(unique, proper))
    found.extend(partition_problems(cls, proper, indexed, unique))
    if isinstance(indexed, Iterable) and isinstance(unique, (list, tuple)):
        found.extend(
            _shared_keys([*indexed, *(name for item in unique for name in names_in(item))])
        )
    return found


def _key_name_problems(key_name: Any) -> Iterator[str]:
    if not key_name:
        yield 'KEY_NAME is not set; give the model a name of its own, like that of a table.'
        return
    if not isinstance(key_name, str):
        yield f'KEY_NAME is {key_name!r}; it must be text.'
        return
    for segment in RESERVED_SEGMENTS:
        if f'{segment}:' in key_name or key_name.endswith(segment):
            yield f'KEY_NAME {key_name!r} holds {segment!r}, which could mix up keys; rename it.'
    try:
        key_name.encode('utf-8')
    except UnicodeEncodeError:
        yield f'KEY_NAME {key_name!r} cannot be encoded as UTF-8; use other characters.'


def _cache_problems(size: Any) -> Iterator[str]:
    if isinstance(size, bool) or not isinstance(size, int) or size < 0:
        yield (
            f'CLIENT_SIDE_CACHE is {size!r}; it must be how many answers each connection caches, '
            'such as 1000, or 0 for none.'
        )


def _unknown_names_problems(action: Any) -> Iterator[str]:
    if action is not None and action not in ACTIONS:
        known = ', '.join(map(repr, ACTIONS))
        yield f'UNKNOWN_NAMES is {action!r}; it must be one of {known}, or None.'


def _replica_problems(cls: Any) -> Iterator[str]:
    by, reads = getattr(cls, 'ACKNOWLEDGED_BY', 0), getattr(cls, 'REPLICA_READS', 'never')
    if isinstance(by, bool) or not isinstance(by, int) or by < 0:
        yield (
            f'ACKNOWLEDGED_BY is {by!r}; it must be how many replicas confirm each write, such as '
            '1, or 0 for none.'
        )
    if not isinstance(reads, str) or reads not in FRESHNESS:
        known = ', '.join(map(repr, FRESHNESS))
        yield f'REPLICA_READS is {reads!r}; it must be one of {known}.'


def _removed_attributes(cls: type) -> Iterator[str]:
    for name in _REMOVED:
        if hasattr(cls, name):
            yield f'{name} is gone since version 5; use IRBase64Field or IRBytesField in FIELDS.'


def _field_problems(model: str, fields: Sequence[IRField], reserved: Any) -> Iterator[str]:
    seen = set()
    for field in fields:
        name = field.name
        yield from _name_problems(name, reserved)
        if name in seen:
            yield f'field {name!r} is listed twice in FIELDS; leave one out.'
        seen.add(name)
        if field.defaultValue is not irNull:
            problem = _default_problem(Column(model, field, indexed=False))
            if problem:
                yield f'field {name!r}: its defaultValue {field.defaultValue!r} {problem}'


def _default_problem(column: Column) -> str:
    """Return why a field cannot hold, store and read its default; empty if it can."""
    try:
        value = column.default()
    except Exception as exc:
        return f'is wrong: {exc}.'
    try:
        column.decode(column.encode(value))
    except ValueError as exc:
        return f'cannot be stored and read back: {exc}'
    return ''


def _name_problems(name: str, reserved: Any) -> Iterator[str]:
    if not name:
        yield 'a field has an empty name; give it one.'
    elif not name.isascii():
        yield f'field name {name!r} is not ascii; use ASCII characters.'
    elif name == '_id':
        yield "field name '_id' is the name of the primary key; choose another."
    elif name in reserved:
        yield f'field name {name!r} is an attribute of IndexedRedisModel; choose another.'
    elif name.endswith(('__id', '__ne')):
        yield f'field name {name!r} ends like a lookup ({name[-4:]}); choose another.'


def _listed_problems(
    what: str, names: Any, fields: Sequence[IRField], unfit: Callable[[IRField], str]
) -> Iterator[str]:
    """Yield the problems of an attribute that lists names of fields.

    :param what: the attribute
    :param unfit: returns why the attribute cannot list a field; empty if it can
    """
    if not isinstance(names, (list, tuple, set, frozenset)):
        yield f'{what} is {names!r}; it must be a list of field names.'
        return
    by_name = {field.name: field for field in fields}
    for item in names:
        if not isinstance(item, str):
            yield f'{what} holds {item!r}, which is no name of a field; give a name.'
            continue
        name = str.__str__(item)
        if isinstance(item, IRField) and not name:
            yield f'{what} holds a field without a name; list fields in [] or (), not in a set.'
        elif name not in by_name:
            hint = near_miss(name, list(by_name))
            yield f'{what} names {name!r}, which is not in FIELDS.{hint}'
        elif problem := unfit(by_name[name]):
            yield problem


def _unlisted(cls: Any, fields: Sequence[IRField]) -> Iterator[str]:
    """Yield a problem for each field that is an attribute, while ``FIELDS`` lists others."""
    listed = {field.name for field in fields}
    for name, value in vars(cls).items():
        if isinstance(value, IRField) and value.name == name and name not in listed:
            yield f'field {name!r} is an attribute that FIELDS lacks; list it, or leave FIELDS out.'


def _misnamed(cls: Any, fields: Sequence[IRField]) -> Iterator[str]:
    """Yield a problem for each attribute whose field has another name: it would be ignored."""
    if cls._lists_fields:
        return  # it may keep fields for other uses
    listed = {field.name for field in fields}
    for each in cls.__mro__:
        own = {} if vars(each).get('_lists_fields') else vars(each)
        for name, value in own.items():
            if isinstance(value, IRField) and value.name not in ('', name, *listed):
                yield (
                    f'attribute {name!r} is a field with the name {value.name!r}; leave the name '
                    'out, or give it to the attribute.'
                )


def indexed_fields(cls: Any) -> Any:
    """Return the names in ``INDEXED_FIELDS``, and of fields with ``indexed=True``."""
    return _with_marked(cls.INDEXED_FIELDS, cls.FIELDS, 'indexed')


def sorted_fields(cls: Any) -> Any:
    """Return the names in ``SORTED_FIELDS``, and of fields with ``sorted=True``."""
    return _with_marked(cls.SORTED_FIELDS, cls.FIELDS, 'sorted')


def unique_fields(cls: Any) -> Any:
    """Return the items of ``UNIQUE_FIELDS``, and the names of fields with ``unique=True``."""
    return _with_marked(cls.UNIQUE_FIELDS, cls.FIELDS, 'unique')


def _with_marked(names: Any, fields: Any, mark: str) -> Any:
    """Return names, if they are a list, with those of the marked fields that are not among them."""
    if not isinstance(names, (list, tuple, set, frozenset)):
        return names
    marked = [each.name for each in fields if isinstance(each, IRField) and getattr(each, mark)]
    return [*names, *(name for name in marked if name not in names)] if marked else names


def names_in(item: Any) -> Sequence[Any]:
    """Return the names in an item of ``UNIQUE_FIELDS``: a name, or a tuple of names."""
    return item if isinstance(item, (list, tuple)) else (item,)


def _unique_problems(unique: Any, fields: Sequence[IRField]) -> Iterator[str]:
    if not isinstance(unique, (list, tuple)):
        yield f'UNIQUE_FIELDS is {unique!r}; it must be a list of field names and tuples of them.'
        return
    names = [name for item in unique for name in names_in(item)]
    yield from _listed_problems('UNIQUE_FIELDS', names, fields, _why_not_unique)
    for item in unique:
        texts = [str.__str__(name) for name in names_in(item) if isinstance(name, str)]
        if not isinstance(item, str) and len({*texts}) < max(2, len(texts)):
            yield (
                f'UNIQUE_FIELDS holds {item!r}; a group has to list two or more different fields. '
                'List a single field by its name.'
            )


_MARKS = {'INDEXED_FIELDS': 'indexed', 'UNIQUE_FIELDS': 'unique'}


def _why_not_unique(field: IRField) -> str:
    return _why_not_indexed(field, 'UNIQUE_FIELDS')


def _why_not_indexed(field: IRField, listed: str = 'INDEXED_FIELDS') -> str:
    if field.CAN_INDEX:
        return ''
    remedy = 'use IRFixedPointField or IRDecimalField. ' if field.valueType is float else ''
    return (
        f'field {field.name!r} cannot be indexed: {field!r} has no index form. Take it out of '
        f'{listed}, or leave out {_MARKS[listed]}=True{", or " if remedy else "."}{remedy}'.rstrip()
    )


def _why_not_sorted(field: IRField) -> str:
    if field.canSort:
        return ''
    return (
        f'field {field.name!r} cannot be sorted: values of {field!r} have no order. Take it out of '
        'SORTED_FIELDS, or leave out sorted=True, or sort by a number, a text or a date.'
    )


def _shared_keys(indexed: Any) -> Iterator[str]:
    names = {str.__str__(item) for item in indexed if isinstance(item, str)}
    for name in sorted(names):
        for other in sorted(names):
            if other.startswith(name + ':'):
                yield f'indexed fields {name!r} and {other!r} could share a key; rename one.'
