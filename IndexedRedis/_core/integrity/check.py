"""check() and repair(): go through all that a model has stored, in bounded steps.

First the objects and their links, then what dead resets left, then every key of the model, last
the counter. repair() repairs each batch of findings at once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial

from ..bulk.redo import parse_left
from ..flows import Batch, Flow, Progress, ask, chunks, scan, whole
from ..inspection.eviction import eviction_warnings
from ..keys import (
    BROUGHT,
    LEFT,
    RANGES,
    REPLACED,
    STAGED,
    WORK,
    Keys,
    is_allowed_pk,
    is_pk,
    parse_range,
)
from ..locking.key_types import OTHER_TYPE
from ..mapping.index_keys import index_key, unique_key
from ..mapping.schema import Schema
from ..mapping.unique import Unique
from ..partitions.editions.fence import Edition
from ..partitions.layout import Shard
from ..partitions.values import partition_of_stored
from ..writes.acknowledging import acknowledge
from .keyspace import examine_keys, examine_work
from .links import dangling_links
from .probe import NO_EXPIRY, NO_KEY, Facts, Probe, probe_entries, probe_rows
from .repair import unfit_keys
from .report import CheckReport, Finding
from .scripts import COUNTER, LEFTOVERS
from .survey import PROBES_IN_TRIP, Survey

__all__ = ('check', 'examine_counter', 'examine_objects', 'repair')

# Members of a work key of a dead reset that are examined.
MEMBERS_DRAWN = 500


def check(schema: Schema, progress: Progress | None = None) -> Flow[CheckReport]:
    """Compare rows, the set of all pks, the counter and index sets with each other; only read."""
    warnings = yield from eviction_warnings()
    report: CheckReport = yield from whole(lambda: _examine(Survey(schema, progress)))
    report.warnings += warnings
    return report


def repair(schema: Schema, token: bytes, progress: Progress | None = None) -> Flow[CheckReport]:
    """Do what :func:`check` does, and repair what it finds.

    If another server takes over meanwhile, the report is of what was found there.

    :param token: text that no reset has
    """
    report = yield from whole(lambda: _examine(Survey(schema, progress, token)))
    yield from acknowledge([schema])
    return report


def _examine(survey: Survey) -> Flow[CheckReport]:
    if (yield from examine_objects(survey)):
        yield from examine_keys(survey)
        yield from examine_counter(survey)
    return survey.report


def examine_objects(survey: Survey) -> Flow[bool]:
    """Go through the objects, and what resets left; return whether keys can be examined too."""
    wrong = yield from ask(*OTHER_TYPE([survey.schema.keys.all], b'set'))
    if wrong:
        # Without the set of all pks, every row and entry would look like a leftover.
        yield from survey.found([Finding('wrong_type', wrong[0], field=wrong[1].decode())])
        return False
    yield from _examine_listed(survey)
    yield from _examine_resets(survey)
    return True


def _examine_listed(survey: Survey) -> Flow[None]:
    """Go through the set of all pks: does each object exist, and do index sets list its values?"""

    def examine(page: list[bytes]) -> Flow[None]:
        survey.report.objects += len(page)
        for pks in chunks(page, PROBES_IN_TRIP):
            yield from _examine_rows(survey, pks)
            for link in (yield from dangling_links(survey.schema, pks)):
                survey.report.note_dangling(str(link))

    tell = partial(survey.tell, 'objects')
    yield from scan(examine, survey.schema.keys.all, tell=tell, strict=True)


def _examine_rows(survey: Survey, pks: Sequence[bytes]) -> Flow[None]:
    schema = survey.schema
    seen = yield from probe_rows(
        schema, [Probe(pk, schema.indexed if is_pk(pk) else ()) for pk in pks]
    )
    findings = [finding for probe, facts in seen for finding in _row(survey, probe.pk, facts)]
    findings += _misplaced(schema, seen)
    entries = [
        Probe(probe.pk, schema.indexed, _index_keys(schema, facts.row))
        for probe, facts in seen
        if probe.columns and facts.stored and facts.row is not None
    ]
    findings += yield from probe_entries(schema, entries)
    for unique in schema.composites:
        findings += yield from probe_entries(schema, _together(schema, unique, seen))
    if schema.sorted:
        pks = [pk for pk in pks if is_pk(pk)]
        ordered = [Probe(pk, schema.sorted, schema.sorted_keys) for pk in pks]
        findings += yield from probe_entries(schema, ordered)
    yield from survey.found(findings)


def _row(survey: Survey, pk: bytes, facts: Facts) -> Iterator[Finding]:
    """Yield what is wrong with the row of a pk."""
    keys = survey.schema.keys
    if not facts.listed:
        return
    if not is_pk(pk):
        yield Finding('pk_invalid', keys.all, pk)
    elif facts.ttl == NO_KEY:
        yield Finding('row_missing', keys.all, pk)
    else:
        if not survey.in_use(pk):
            yield Finding('pk_high', keys.all, pk)
        if facts.ttl != NO_EXPIRY:
            yield Finding('row_expiring', keys.data_prefix + pk, pk)


def _misplaced(schema: Schema, seen: Sequence[tuple[Probe, Facts]]) -> Iterator[Finding]:
    """Yield a finding for each row of a partition that belongs to another one.

    :param seen: rows with the values of the indexed fields
    """
    if not isinstance(schema, Shard):
        return
    keys, by = schema.keys, schema.partition_by
    edition = Edition(schema.edition, keys.stride)
    for probe, facts in seen:
        if not (facts.stored and is_allowed_pk(probe.pk)):
            continue
        if int(probe.pk) % keys.stride != keys.offset:
            yield Finding('pk_elsewhere', keys.all, probe.pk)
        elif by is not None and facts.row is not None:
            stored = facts.row[schema.indexed.index(by)]
            if partition_of_stored(by, stored, edition) != schema.number:
                key = keys.data_prefix + probe.pk
                yield Finding('value_elsewhere', key, probe.pk, by.name, stored)


def _together(schema: Schema, unique: Unique, seen: Sequence[tuple[Probe, Facts]]) -> list[Probe]:
    """Return the probes of rows for the index sets of several unique fields."""
    found = []
    for probe, facts in seen:
        if probe.columns and facts.stored and facts.row is not None:
            row = dict(zip(schema.indexed_names, facts.row, strict=True))
            key = unique_key(schema, unique, unique.values_in(row))
            found.append(Probe(probe.pk, unique.columns, (key,), unique))
    return found


def _index_keys(schema: Schema, row: Sequence[bytes | None]) -> list[bytes]:
    return [
        index_key(schema, column, stored)
        for column, stored in zip(schema.indexed, row, strict=True)
    ]


def _examine_resets(survey: Survey) -> Flow[None]:
    """Find what killed resets left."""
    keys = survey.schema.keys
    yield from examine_work(survey, [keys.lock])
    tokens, _ = yield from ask(*LEFTOVERS([keys.lock, keys.record], keys.tmp))
    dead = {token: [Finding('leftover', keys.record, token)] for token in tokens}
    if tokens and not (yield from unfit_keys(survey.schema, tokens)):
        for token in tokens:
            dead[token] += yield from _junk(keys, token)
    yield from survey.found_resets(dead)


def _junk(keys: Keys, token: bytes) -> Flow[list[Finding]]:
    """Find members of work keys that no writer stores there; in a large key, among some members."""
    names, left = [keys.work(token, name) for name in WORK], keys.work(token, LEFT)
    drawn = (('SRANDMEMBER', name, MEMBERS_DRAWN) for name in names)
    rows = ('HSCAN', left, 0, 'COUNT', MEMBERS_DRAWN)
    counter, (_, page), *lists = yield Batch([('GET', keys.next), rows, *drawn])
    highest = int(counter) if counter is not None and counter.isdigit() else 0
    is_sound: dict[bytes, Callable[[bytes], object]] = {
        STAGED: lambda member: member.startswith(keys.work(token, b'')),
        RANGES: lambda member: parse_range(member, highest, keys.stride),
        BROUGHT: is_pk,
        REPLACED: is_pk,
    }
    junk = [
        (name, member)
        for name, members, sound in zip(names, lists, map(is_sound.get, WORK), strict=True)
        for member in members
        if sound and not sound(member)
    ]
    pairs = zip(page[::2], page[1::2], strict=True)
    junk += ((left, pk) for pk, row in pairs if parse_left(pk, row) is None)
    return [Finding('work_invalid', name, member) for name, member in junk]


def examine_counter(survey: Survey) -> Flow[None]:
    """Compare the counter with the highest pk in use, which the other steps have found."""
    keys, pk = survey.schema.keys, b'%d' % survey.highest
    fault = yield from ask(*COUNTER([keys.next, keys.all], keys.data_prefix, pk))
    if fault:
        kind, counter = fault
        yield from survey.found([Finding(kind.decode(), keys.next, pk, value=counter)])
