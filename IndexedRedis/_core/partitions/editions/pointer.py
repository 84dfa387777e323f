"""Read the pointer of a model: the key in its home slot that names the true edition.

Beside it stands the name of the field that spreads the objects of that edition.
"""

from __future__ import annotations

from ....errors import UsageError
from ...flows import Batch, Flow
from ...mapping.schema import Schema
from .fence import Edition, Fence
from .known import known, learn

__all__ = ('BY', 'by_of', 'check_by', 'edition_of', 'pointer_of')

# What the record of editions says besides: the field that spreads the objects.
BY = b'by'


def pointer_of(schema: Schema, anew: bool = False) -> Flow[Edition | None]:
    """Learn the edition that the pointer names; return it, or None without a pointer.

    :param anew: it is going to be replaced, so another field may have spread its objects
    :raises UsageError: if objects are stored without partitions, or are spread by another field
    """
    keys = schema.keys
    read = ('GET', keys.edition), ('HGET', keys.editions, BY), ('EXISTS', keys.all)
    text, by, plain = yield Batch(read)
    if text is not None:
        if not anew:
            check_by(schema, by)
        learn(schema, edition_of(schema, text))
        return known(schema)
    if plain:
        raise UsageError(
            f'{schema.name}: objects are stored under KEY_NAME {schema.key_name!r} without '
            'PARTITIONS. Export them and call deleter.destroyModel(), both without PARTITIONS in '
            'the model; then set PARTITIONS and import them. Or use another KEY_NAME.'
        )
    return None


def check_by(schema: Schema, stored: bytes | None) -> None:
    """Check that objects are spread by the field that the model names: else queries miss some."""
    if stored is not None and stored != by_of(schema):
        before = stored.decode('utf-8', 'replace') or None
        now = schema.partition_by and schema.partition_by.name
        raise UsageError(
            f'{schema.name}: PARTITION_BY is {now!r}, and the stored objects are spread by '
            f'{before!r}. Name the same field, or replace the data set by {schema.name}.reset().'
        )


def by_of(schema: Schema) -> bytes:
    """Return what the record of editions says of ``PARTITION_BY``: the field, or nothing."""
    return b'' if schema.partition_by is None else schema.partition_by.key


def edition_of(schema: Schema, text: bytes) -> Edition:
    """Return the edition that the text of a pointer names."""
    fence = Fence.of(text)
    if fence is None:
        from ...locking.key_types import wrong_type

        raise wrong_type(schema, schema.keys.edition, b'text that names no edition')
    return fence.edition
