"""Names of models and fields, made of those of tables and columns."""

from __future__ import annotations

import keyword
import re
import unicodedata
from collections.abc import Collection

from ... import IndexedRedisModel, fields

__all__ = ('field_name', 'link_name', 'model_name', 'plural', 'unused')


# Names that the class of a model uses, where an attribute would hide what they mean.
_IN_BODIES = frozenset(
    ['Any', 'bool', 'datetime', 'dict', 'float', 'int', 'list', 'str', 'uuid', *fields.__all__]
)


def unused(name: str, used: Collection[str]) -> str:
    """Return a name, or the name with the first number that makes it a new one."""
    number, found = 1, name
    while found in used:
        number += 1
        found = f'{name}{number}'
    return found


def model_name(table: str) -> str:
    """Return ``OrderLine`` for ``order_line``; upper case within words stays."""
    words = re.findall(r'\w+', table.replace('_', ' '))
    name = ''.join(word[0].upper() + word[1:] for word in words)
    name = f'T{name}' if not name.isidentifier() else name
    # The module imports Any, Mirror and IR..., and None, True and False are no names.
    taken = name in ('Any', 'Mirror') or name.startswith('IR') or keyword.iskeyword(name)
    return f'{name}Model' if taken else name


def field_name(column: str) -> str:
    """Return a name that a field can have and an attribute can be written with."""
    plain = unicodedata.normalize('NFKD', column).encode('ascii', 'ignore').decode()
    name = re.sub(r'\W+', '_', plain, flags=re.ASCII) or 'column'
    if not name.isidentifier():
        name = f'c_{name}'
    if name.startswith('__'):
        name = f'c{name}'  # Python would add the name of the class
    if name == '_id' or name.endswith(('__id', '__ne')):
        name = f'{name}_'
    if keyword.iskeyword(name) or hasattr(IndexedRedisModel, name) or name in _IN_BODIES:
        name = f'{name}_'
    return name


def link_name(column: str, key: str) -> str:
    """Return ``artist`` for ``artist_id`` and ``artistId``, else the name of the column.

    :param key: the column that it holds a value of: ``country_code`` holds a ``code``
    """
    end = rf'_(?:{re.escape(key)}|id|key|fk)|(?<=[a-z])I[dD]|_(?:ID|KEY|FK)'
    match = re.fullmatch(rf'(.+?)(?:{end})', column, flags=re.ASCII)
    return field_name(match[1] if match else column)


def plural(name: str) -> str:
    """Return ``categories`` for ``category``, as English has it."""
    if name.endswith('s'):
        return name
    if re.search('[^aeiou]y$', name):
        return f'{name[:-1]}ies'
    return f'{name}es' if name.endswith(('x', 'ch', 'sh')) else f'{name}s'
