"""Find the objects that are stored as they are, by fingerprints instead of by their rows.

The client sends the SHA-1 of each row that it would write. The server computes that of the stored
row. So the values of an unchanged object do not travel, and the client does not compare them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from hashlib import sha1

from ..column import Column
from ..flows import Command
from ..mapping.encoder import StoredRow
from ..mapping.schema import Schema
from .scripts import ALIKE

__all__ = ('VALUES', 'commands_of')

# Objects of one script, their values, and the bytes of these: it blocks the server for 2 ms.
OBJECTS = 100
VALUES = 2000
BYTES = 200_000


def commands_of(
    schema: Schema,
    columns: Sequence[Column],
    keys: Sequence[tuple[bytes, ...]],
    rows: Sequence[StoredRow],
) -> Iterator[Command]:
    """Yield the commands that return, all together, for each object its pk if it is stored so.

    :param columns: the key that identifies the objects; none: their pks do
    :param keys: for each object the index values of its key, or its pk
    :param rows: the bytes that would be written
    """
    fields = schema.keys_of(schema.all)
    most = min(OBJECTS, VALUES // len(fields))
    sets = [schema.keys.index(column.key, b'') for column in columns]
    head = (schema.keys.data_prefix, len(fields), len(columns), *fields, *sets)
    args: list[bytes] = []
    objects = size = 0
    for key, text in zip(keys, schema.pack_values(rows), strict=True):
        if objects == most or (objects and size + len(text) > BYTES):
            yield ALIKE([schema.keys.all], *head, *args)
            args, objects, size = [], 0, 0
        digest = sha1(text, usedforsecurity=False).hexdigest()
        args += (digest.encode('ascii'), *key)
        objects, size = objects + 1, size + len(text)
    yield ALIKE([schema.keys.all], *head, *args)
