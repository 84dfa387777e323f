"""What a new object holds, by code generated once for each model.

Mostly a value is of just the type of its field, and there is nothing to convert: to see that in a
line for each field takes a third of the time that a loop over the columns does.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ...fields.null import IR_NULL_STR
from ..column import Column

__all__ = ('Construct', 'compile_construct')

Construct = Callable[[dict[str, Any], Mapping[str, Any]], None]

_CONSTRUCT = """\
def construct(fields, values, {parameters}):
    get = values.get
    {statements}
"""
_TAKE = 'fields[{slot!r}] = t{i}(get({name!r}, MISSING))'
_CHECK = 'v = get({name!r}, MISSING); fields[{slot!r}] = v if {plain} else t{i}(v)'
# Text may be that which stands for null.
_PLAIN: dict[Any, str] = {int: 'type(v) is int', str: 'type(v) is str and v != NULL'}
_MISSING = object()


def compile_construct(columns: Sequence[Column]) -> Construct:
    """Generate the function that fills the fields of a new object with values as if assigned.

    :param columns: the columns; those without a value get their default
    """
    numbers = range(len(columns))
    source = _CONSTRUCT.format(
        parameters=', '.join(f't{i}' for i in numbers),
        statements='\n    '.join(
            (_CHECK if column.native_type else _TAKE).format(
                i=i, name=column.name, slot=column.slot, plain=_PLAIN.get(column.native_type, '')
            )
            for i, column in enumerate(columns)
        ),
    )
    namespace: dict[str, Any] = {'MISSING': _MISSING, 'NULL': IR_NULL_STR}
    exec(source, namespace)
    construct, takes = namespace['construct'], list(map(_take, columns))
    return lambda fields, values: construct(fields, values, *takes)


def _take(column: Column) -> Callable[[Any], Any]:
    def take(value: Any) -> Any:
        return column.default() if value is _MISSING else column.from_input(value)

    return take
