"""Read rows together with index sets or sorted sets, atomically, and judge them.

Every writer changes a row and its entries in one moment. So what one probe finds wrong is wrong,
whoever else writes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from ..column import Column
from ..flows import Batch, Command, Flow, chunks
from ..keys import is_pk
from ..mapping.index_keys import index_key, unique_key
from ..mapping.schema import Schema
from ..mapping.unique import Unique
from .report import Finding
from .scripts import PROBE

__all__ = ('Facts', 'Probe', 'probe_entries', 'probe_rows')

# Rows and values that one script reads: it blocks the server for well under a millisecond.
PROBE_CALLS = 100
# Replies of PTTL.
NO_EXPIRY = -1
NO_KEY = -2


class Probe(NamedTuple):
    """A question: the values of a row, and for each whether a set lists the row.

    The sets of probes that one call answers are all index sets, or all sorted sets.

    :param unique: several unique fields, to whose values the only set belongs
    """

    pk: bytes
    columns: Sequence[Column] = ()
    keys: Sequence[bytes] = ()
    unique: Unique | None = None


class Facts(NamedTuple):
    """The answer to a probe. ``row`` is None if the key holds another type.

    ``inside`` and, of sorted sets, ``scores``: as PROBE returns them.
    """

    listed: bool
    ttl: int
    row: Sequence[bytes | None] | None
    inside: Sequence[int]
    scores: Sequence[bytes] = ()

    @property
    def stored(self) -> bool:
        """Whether an object is stored under the pk."""
        return self.listed and self.ttl != NO_KEY


def probe_rows(schema: Schema, probes: Sequence[Probe]) -> Flow[list[tuple[Probe, Facts]]]:
    """Answer probes in one round trip; all probes of one script are of one moment."""
    if not probes:
        return []
    size = max(1, PROBE_CALLS // (2 + max(len(probe.columns) for probe in probes)))
    replies = yield Batch([_command(schema, chunk) for chunk in chunks(probes, size)])
    facts = [
        Facts(bool(listed), ttl, row, inside, *scores)
        for reply in replies
        for listed, ttl, row, inside, *scores in reply
    ]
    return list(zip(probes, facts, strict=True))


def _command(schema: Schema, probes: Sequence[Probe]) -> Command:
    keys = [schema.keys.all, schema.keys.record]
    args: list[bytes | int] = [schema.keys.data_prefix, schema.keys.tmp]
    for pk, columns, sets, _ in probes:
        keys += sets
        args += (pk, len(columns), len(sets), *(column.key for column in columns))
    return PROBE.of(any(map(schema.keys.is_sorted, keys)))(keys, *args)


def probe_entries(schema: Schema, probes: Sequence[Probe]) -> Flow[list[Finding]]:
    """Find what is wrong with these rows in these sets."""
    seen = yield from probe_rows(schema, probes)
    return [finding for probe, facts in seen for finding in _judge(schema, probe, facts)]


def _judge(schema: Schema, probe: Probe, facts: Facts) -> Iterator[Finding]:
    pk = probe.pk
    if probe.unique is not None:
        yield from _judge_together(schema, probe, probe.unique, facts)
        return
    for i, (column, key) in enumerate(zip(probe.columns, probe.keys, strict=True)):
        inside = facts.inside[i]
        if inside == 1 and not (facts.stored and is_pk(pk)):
            yield Finding('entry_gone', key, pk, column.name)
        elif inside != -1 and facts.stored and facts.row is not None:
            stored = facts.row[i]
            if facts.scores:
                wanted, wrong = True, _is_wrong(column, stored, facts.scores[i])
            else:
                wanted = index_key(schema, column, stored) == key
                wrong = not wanted
            if wanted and not inside:
                yield Finding('entry_missing', key, pk, column.name, stored)
            elif inside and wrong:
                kind = 'score_wrong' if facts.scores else 'entry_stale'
                yield Finding(kind, key, pk, column.name, stored)


def _judge_together(
    schema: Schema, probe: Probe, unique: Unique, facts: Facts
) -> Iterator[Finding]:
    (key,), (inside,), pk = probe.keys, facts.inside, probe.pk
    name = ', '.join(unique.names)
    if inside == 1 and not (facts.stored and is_pk(pk)):
        yield Finding('entry_gone', key, pk, name)
    elif inside != -1 and facts.stored and facts.row is not None:
        wanted = unique_key(schema, unique, facts.row) == key
        if wanted != bool(inside):
            value = b', '.join(b'' if each is None else each for each in facts.row)
            yield Finding('entry_missing' if wanted else 'entry_stale', key, pk, name, value)


def _is_wrong(column: Column, stored: bytes | None, score: bytes) -> bool:
    return score != b'' and float(score) != float(column.score_of_stored(stored))
