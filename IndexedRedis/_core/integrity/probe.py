"""One look at rows and index sets, atomic on the server, and what follows from it.

Every writer changes a row and its entries in one moment, so what one look finds wrong is wrong,
whoever writes meanwhile.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from ..column import Column
from ..flows import Batch, Command, Flow, chunks
from ..mapping.index_keys import index_key
from ..mapping.schema import Schema
from .report import Finding
from .scripts import PROBE

__all__ = ('Facts', 'Probe', 'is_pk', 'probe_entries', 'probe_rows')

# Rows and values that one script looks at: it holds up the server for well under a millisecond.
PROBE_CALLS = 100
NO_EXPIRY = -1  # what PTTL says of a key that does not expire
NO_KEY = -2  # what PTTL says of a key that is not there
_PK = re.compile(rb'[1-9][0-9]*')


class Probe(NamedTuple):
    """What to look at: the values of a row, and whether an index set for each lists it."""

    pk: bytes
    columns: Sequence[Column] = ()
    keys: Sequence[bytes] = ()


class Facts(NamedTuple):
    """What was there. ``row`` is None where there is something else than a hash."""

    listed: bool
    ttl: int
    row: Sequence[bytes | None] | None
    inside: Sequence[int]

    @property
    def stored(self) -> bool:
        """Whether there is an object of the pk."""
        return self.listed and self.ttl != NO_KEY


def is_pk(text: bytes) -> bool:
    """Whether this is a pk, written the only way."""
    return _PK.fullmatch(text) is not None


def probe_rows(schema: Schema, probes: Sequence[Probe]) -> Flow[list[tuple[Probe, Facts]]]:
    """Look at each of ``probes``, in one trip; those of one script in one moment."""
    if not probes:
        return []
    size = max(1, PROBE_CALLS // (2 + max(len(probe.columns) for probe in probes)))
    replies = yield Batch([_command(schema, chunk) for chunk in chunks(probes, size)])
    facts = [
        Facts(bool(listed), ttl, row, inside)
        for reply in replies
        for listed, ttl, row, inside in reply
    ]
    return list(zip(probes, facts, strict=True))


def _command(schema: Schema, probes: Sequence[Probe]) -> Command:
    keys = [schema.keys.all, schema.keys.record]
    args: list[bytes | int] = [schema.keys.data_prefix, schema.keys.tmp]
    for pk, columns, sets in probes:
        keys += sets
        args += (pk, len(columns), len(sets), *(column.key for column in columns))
    return PROBE(keys, *args)


def probe_entries(schema: Schema, probes: Sequence[Probe]) -> Flow[list[Finding]]:
    """Find what is wrong about these rows in these index sets."""
    seen = yield from probe_rows(schema, probes)
    return [finding for probe, facts in seen for finding in _judge(schema, probe, facts)]


def _judge(schema: Schema, probe: Probe, facts: Facts) -> Iterator[Finding]:
    pk = probe.pk
    for i, (column, key) in enumerate(zip(probe.columns, probe.keys, strict=True)):
        inside = facts.inside[i]
        if inside == 1 and not (facts.stored and is_pk(pk)):
            yield Finding('entry_gone', key, pk, column.name)
        elif inside != -1 and facts.stored and facts.row is not None:
            stored = facts.row[i]
            right = index_key(schema, column, stored) == key
            if right and not inside:
                yield Finding('entry_missing', key, pk, column.name, stored)
            elif inside and not right:
                yield Finding('entry_stale', key, pk, column.name, stored)
