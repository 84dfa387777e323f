"""Find unique values that several objects have, and repair entries of their index sets."""

from __future__ import annotations

from collections.abc import Sequence

from ..bulk.reindex import reindex
from ..flows import Flow, ask
from ..keys import is_pk
from ..mapping.index_keys import unique_key
from ..mapping.schema import Schema
from ..mapping.unique import Unique
from ..queries.by_pk import rows_of
from ..writes.unique import holders
from .report import Finding

__all__ = ('composite_of', 'repair_together', 'repeated')

# Members of one index set that are examined, and pks that a finding names.
MEMBERS_DRAWN = 1000
PKS_NAMED = 10


def repeated(schema: Schema, unique: Unique, key: bytes) -> Flow[list[Finding]]:
    """Return a finding if several objects have the unique value of an index set."""
    if (yield from ask('SCARD', key)) < 2:
        return []
    drawn = yield from ask('SRANDMEMBER', key, MEMBERS_DRAWN)
    pks = sorted(int(pk) for pk in drawn if is_pk(pk))
    rows = yield from rows_of(schema, pks, unique.columns)
    found = [
        b'%d' % pk
        for pk, row in zip(pks, rows, strict=True)
        if row is not None and not unique.is_null(row) and unique_key(schema, unique, row) == key
    ]
    if len(found) < 2:
        return []
    return [Finding('not_unique', key, b', '.join(found[:PKS_NAMED]), ', '.join(unique.names))]


def composite_of(schema: Schema, key: bytes) -> Unique | None:
    """Return the fields that are unique together, if the index set belongs to such."""
    start = len(schema.keys.index_prefix)
    return next((each for each in schema.composites if each.lists(key[start:])), None)


def repair_together(schema: Schema, findings: Sequence[Finding]) -> Flow[None]:
    """Repair missing and stale entries in index sets of several fields."""
    for finding in findings:
        unique = composite_of(schema, finding.key)
        assert unique is not None
        if finding.kind == 'entry_missing':
            yield from reindex(schema, [int(finding.pk)])
        else:
            yield from holders(schema, unique, finding.key, [int(finding.pk)])
