"""Make new objects from rows of Python values, by code generated once for each list of columns.

A mirror makes an object of each row of SQL. Values of the type of their field, nulls and links by
pk are converted in the line that stores them; the others by the field, as if assigned.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ...fields.base.primary_keys import HIGHEST_PK
from ...fields.foreign import ForeignLinkData
from ...fields.null import IR_NULL_STR, irNull
from ..column import Column
from ..objects.state import FRESH

__all__ = ('compile_maker',)

_MAKE = """\
def make(row):
    {variables} = row
    obj = new(cls)
    fields = obj.__dict__
    fields['_id'] = None
    {statements}
    fields['_state'] = FRESH
    return obj
"""

# Expressions for the value of vi. Fields of the library take None and irNull as null; those of
# users are asked.
_NULL = 'irNull if {v} is None else c{i}({v})'
_NATIVE: dict[Any, str] = {
    int: '{v} if type({v}) is int else ' + _NULL,
    str: '{v} if type({v}) is str and {v} != IR_NULL_STR else ' + _NULL,
}
_LINK = 'Link(l{i}, {v}) if type({v}) is int and 0 < {v} <= HIGHEST_PK else ' + _NULL
_ANY = 'c{i}(irNull if {v} is None else {v})'


def _made(i: int, column: Column, number: int | None) -> str:
    """Return the expression that makes the value of column ``i``.

    :param number: the position of its value in the row; None if the row has none
    """
    if number is None:
        return f'd{i}()'
    text = _LINK if column.links_to_one else _NATIVE.get(column.native_type, _ANY)
    return text.format(v=f'v{number}', i=i)


def compile_maker(
    cls: type, columns: Mapping[str, Column], names: Sequence[str | None]
) -> Callable[[Sequence[Any]], Any]:
    """Generate the function that makes a new object from a row; a None in it means null.

    :param cls: the model
    :param columns: all columns of the model, by name
    :param names: the field of each value of a row, or None for a value that has none. Fields that
        are not named get their default.
    """
    namespace: dict[str, Any] = {
        **{'new': cls.__new__, 'cls': cls, 'FRESH': FRESH, 'irNull': irNull},
        **{'IR_NULL_STR': IR_NULL_STR, 'Link': ForeignLinkData, 'HIGHEST_PK': HIGHEST_PK},
    }
    numbers = {name: number for number, name in enumerate(names) if name is not None}
    statements = []
    for i, column in enumerate(columns.values()):
        number = numbers.get(column.name)
        namespace |= {f'c{i}': column.from_input, f'd{i}': column.default}
        if column.links_to_one and number is not None:
            namespace[f'l{i}'] = column.field.foreignModel
        made = _made(i, column, number)
        statements.append(f'fields[{column.slot!r}] = {made}')
    variables = ''.join(f'v{number}, ' for number in range(len(names)))
    exec(_MAKE.format(variables=variables, statements='\n    '.join(statements)), namespace)
    make: Callable[[Sequence[Any]], Any] = namespace['make']
    return make
