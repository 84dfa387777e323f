"""Repair what check() found.

Each script tests again what it is about to change, so it leaves alone what writers have changed.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from contextlib import suppress
from typing import Any

from ...errors import ResetInProgressError
from ..bulk.recovery import recover_now
from ..flows import Batch, Command, Flow, ask, chunks
from ..keys import LEFT, WORK
from ..locking.key_types import OTHER_TYPE
from ..mapping.schema import Schema
from ..writes.entry import expected_token
from .probe import Probe, probe_entries
from .report import Finding
from .scripts import KEEP, REPAIR_COUNTER, REPAIR_ENTRIES, REPAIR_LEFTOVERS, REPAIR_ROWS
from .unique import composite_of, repair_together

__all__ = ('repair_findings', 'sweep_dead', 'unfit_keys')

# Findings that one script repairs.
REPAIRS = 100
# Each round repairs what writers have not changed since the last probe, so a few are enough.
REPAIR_ROUNDS = 10

_ENTRIES = ('entry_stale', 'entry_gone', 'entry_missing', 'score_wrong')


def repair_findings(schema: Schema, findings: Sequence[Finding]) -> Flow[list[Finding]]:
    """Repair what can be repaired; return the findings that are gone."""
    every = [finding for finding in findings if finding.kind in _ENTRIES]
    together = [
        finding
        for finding in every
        if finding.kind != 'entry_gone' and composite_of(schema, finding.key)
    ]
    yield from repair_together(schema, together)
    entries = [finding for finding in every if finding not in together]
    left: set[tuple[bytes, bytes]] = set()
    for sorts in (False, True):
        some = [finding for finding in entries if schema.keys.is_sorted(finding.key) is sorts]
        left.update(finding.place for finding in (yield from _repair_entries(schema, some)))
    done = [*together, *(finding for finding in entries if finding.place not in left)]
    others: dict[str, list[Finding]] = {}
    for finding in findings:
        if finding.kind in _COMMANDS:
            others.setdefault(finding.kind, []).append(finding)
    for kind, group in others.items():
        for chunk in chunks(group, REPAIRS):
            yield Batch(_COMMANDS[kind](schema, chunk))
            done += chunk
    return done


def _repair_entries(schema: Schema, findings: Sequence[Finding]) -> Flow[list[Finding]]:
    """Repair entries of index sets, or of sorted sets; return the findings that are left."""
    for _ in range(REPAIR_ROUNDS):
        left: list[Finding] = []
        for chunk in chunks(findings, REPAIRS):
            outcomes = yield from ask(*_entries_command(schema, chunk))
            left += [each for each, so in zip(chunk, outcomes, strict=True) if not so]
        if not left:
            break
        # Others have changed these meanwhile, so probe them again.
        left = [finding for finding in left if finding.field in schema.columns]
        probes = [Probe(f.pk, (schema.columns[f.field],), (f.key,)) for f in left]
        findings = yield from probe_entries(schema, probes)
    return left


def _entries_command(schema: Schema, findings: Sequence[Finding]) -> Command:
    keys = schema.keys
    sorts = keys.is_sorted(findings[0].key)
    args: list[Any] = [keys.data_prefix, keys.tmp]
    for kind, _, pk, field, stored in findings:
        # Of several fields only `entry_gone`, which compares no value.
        column = schema.columns.get(field, schema.all[0])
        args += (kind, pk, column.key, expected_token(stored))
        args += (column.score_of_stored(stored),) if sorts else ()
    own = (keys.all, keys.lock, keys.touched, keys.record)
    return REPAIR_ENTRIES.of(sorts)([*own, *(f.key for f in findings)], *args)


def _rows(schema: Schema, findings: Sequence[Finding]) -> list[Command]:
    keys = schema.keys
    pairs = (part for finding in findings for part in (finding.kind, finding.pk))
    return [REPAIR_ROWS([keys.all, keys.record], keys.data_prefix, keys.tmp, *pairs)]


def _unused(schema: Schema, findings: Sequence[Finding]) -> list[Command]:
    return [('UNLINK', *(finding.key for finding in findings))]


def _keep(schema: Schema, findings: Sequence[Finding]) -> list[Command]:
    if schema.keys.stride > 1:  # a script, which a fence refuses once the keys are to expire
        return [KEEP([finding.key for finding in findings])]
    return [('PERSIST', finding.key) for finding in findings]


def _counter(schema: Schema, findings: Sequence[Finding]) -> list[Command]:
    keys = schema.keys
    return [
        REPAIR_COUNTER([keys.next, keys.all], keys.data_prefix, finding.pk) for finding in findings
    ]


def _endless(schema: Schema, findings: Sequence[Finding]) -> list[Command]:
    return [REPAIR_LEFTOVERS([schema.keys.record, *(f.key for f in findings)], schema.keys.tmp)]


_COMMANDS: dict[str, Callable[[Schema, Sequence[Finding]], list[Command]]] = {
    **dict.fromkeys(('row_missing', 'row_unlisted', 'row_expiring', 'pk_invalid'), _rows),
    **dict.fromkeys(('index_unused', 'sorted_unused'), _unused),
    'key_expiring': _keep,
    **dict.fromkeys(('counter_low', 'counter_high'), _counter),
    'leftover': _endless,
}


def sweep_dead(schema: Schema, token: bytes, dead: Collection[bytes]) -> Flow[list[bytes]]:
    """Sweep what dead resets left; return the tokens of those that are gone.

    It waits for a reset that is under way. One that takes too long sweeps them itself.

    :param token: text that no reset has
    :param dead: tokens of the dead resets
    """
    keys = schema.keys
    if (yield from unfit_keys(schema, dead)):
        return []
    with suppress(ResetInProgressError):
        yield from recover_now(schema, token)
    left = yield Batch([('HEXISTS', keys.record, each) for each in dead])
    return [each for each, there in zip(dead, left, strict=True) if not there]


def unfit_keys(schema: Schema, dead: Iterable[bytes]) -> Flow[bool]:
    """Return whether a key that a sweep of these resets reads has another type."""
    keys = schema.keys
    sets = [keys.work(token, name) for token in dead for name in WORK]
    rows = [keys.work(token, LEFT) for token in dead]
    asked = [([keys.lock, keys.next], b'string')]
    asked += ((some, b'set') for some in chunks(sets, REPAIRS))
    asked += ((some, b'hash') for some in chunks(rows, REPAIRS))
    return any((yield Batch([OTHER_TYPE(some, kind) for some, kind in asked])))
