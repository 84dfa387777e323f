"""Commands whose bytes are put together here, where their shape is known beforehand.

An ``HSET`` of a row of 19 fields takes 2 us this way; hiredis, which is asked for every other
command, takes 4.4.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from .column import Column
from .plan import Command
from .rows import Memo

__all__ = ('PACKED', 'Setter', 'compile_setter', 'unpacked')

# What stands in place of the name of a command, before its bytes.
PACKED = 'PACKED'

_SET = """\
def commands(names, rows, head, start, {keys}):
    join = b''.join
    return [
        (PACKED, join((start, head[len(name)], name, {parts}, END)))
        for name, ({row}) in zip(names, rows)
    ]
"""

Setter = Callable[[Iterable[bytes], Iterable[Sequence[bytes]]], list[Command]]


def compile_setter(columns: Sequence[Column]) -> Setter:
    """Generate the function that gives the ``HSET`` of each row.

    :param columns: the columns, in the order of the rows
    """
    numbers = range(len(columns))
    source = _SET.format(
        keys=', '.join(f'k{i}' for i in numbers),
        parts=', '.join(f'k{i}, head[len(v{i})], v{i}' for i in numbers),
        row=''.join(f'v{i}, ' for i in numbers),
    )
    namespace: dict[str, Any] = {'PACKED': PACKED, 'END': b'\r\n'}
    exec(source, namespace)
    commands: Callable[..., list[Command]] = namespace['commands']
    start = b'*%d\r\n$4\r\nHSET' % (2 + 2 * len(columns))
    keys = [_HEADS[len(column.key)] + column.key for column in columns]
    return lambda names, rows: commands(names, rows, _HEADS, start, *keys)


# What stands between an argument and the next one, of this length.
_HEADS = Memo(b'\r\n$%d\r\n'.__mod__)


def unpacked(data: bytes) -> Command:
    """Return the parts of a command that was packed here, for those who look on."""
    parts, at = [], data.index(b'\r\n') + 2
    while at < len(data):
        end = data.index(b'\r\n', at)
        length, at = int(data[at + 1 : end]), end + 2
        parts.append(data[at : at + length])
        at += length + 2
    return (parts[0].decode('ascii'), *parts[1:])
