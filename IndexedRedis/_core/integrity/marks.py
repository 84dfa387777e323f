"""Examine the marks of partitions: the pointer of the model, fences, and kept marks.

Readers and writers set these right where they meet them. A living reset may have prepared a fence,
which is as it should be.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import NamedTuple

from ..flows import Batch, Flow, ask
from ..mapping.schema import Schema
from ..partitions.editions.fence import Edition, Fence
from ..partitions.editions.forward import fences_of
from ..partitions.editions.known import FIRST, known, learn, shards
from ..partitions.editions.opening import open_model
from ..partitions.editions.pointer import pointer_of
from ..partitions.editions.scripts import REPLACE
from ..partitions.editions.settling import settle
from ..partitions.layout import Shard
from ..partitions.spread import at_places
from .report import Finding

__all__ = ('Marks', 'examine_marks', 'repair_marks')


class Marks(NamedTuple):
    """What pointer, fences and kept marks say.

    :param edition: that of the pointer, or else the first one
    :param findings: what is wrong
    :param whole: the partitions that have the edition
    :param closed: those whose fences do not open it
    :param named: numbers of the editions that fences name
    """

    edition: Edition
    findings: list[Finding]
    whole: Sequence[Shard] = ()
    closed: Sequence[Shard] = ()
    named: Collection[int] = ()


def examine_marks(schema: Schema) -> Flow[Marks]:
    """Read and compare the marks of all partitions.

    :raises UsageError: if objects are stored that have no partitions
    """
    kind, text = yield from _read_pointer(schema)
    pointer = Fence.of(text)
    edition = Edition(FIRST, schema.partitions) if pointer is None else pointer.edition
    if pointer is None and kind != b'none':
        what = kind.decode() if text is None else 'text that names no edition'
        return Marks(edition, [Finding('wrong_type', schema.keys.edition, field=what)])
    if pointer is None:
        yield from pointer_of(schema)
        told = map(Fence.of, (yield from fences_of(shards(schema, edition))))
        edition = max((fence.edition for fence in told if fence is not None), default=edition)
    learn(schema, edition)
    return (yield from _compare(schema, edition, pointer))


def _read_pointer(schema: Schema) -> Flow[tuple[bytes, bytes | None]]:
    """Return type and value of the pointer; None for another type than a string."""
    key = schema.keys.edition
    kind, (text,) = yield Batch([('TYPE', key), ('MGET', key)])
    return kind, text


def _compare(schema: Schema, edition: Edition, pointer: Fence | None) -> Flow[Marks]:
    """Compare the marks of all partitions with the pointer."""
    all_shards = shards(schema, edition)
    asked = [(s.keys.fence, [('MGET', s.keys.fence, s.keys.edition)]) for s in all_shards]
    marks = [tuple(reply) for (reply,) in (yield from at_places(asked))]
    # A reset may have gone live meanwhile: then fences are ahead of the first look only.
    token = yield from ask('GET', schema.keys.lock)
    _, again = yield from _read_pointer(schema)
    latest = Fence.of(again) or pointer
    findings: list[Finding] = []
    whole, closed = [], []
    if pointer is None and not any(fence or kept for fence, kept in marks):
        return Marks(edition, findings)  # the model has never been written
    if pointer is None:
        findings.append(Finding('pointer_missing', schema.keys.edition))
    for shard, (value, kept) in zip(all_shards, marks, strict=True):
        if kept is not None:
            whole.append(shard)
        found = _wrong(shard, value, edition, latest.edition if latest else edition, token)
        if kept is None:
            findings.append(Finding('partition_lost', shard.keys.edition))
        if found is not None:
            findings.append(found)
            closed.append(shard)
    fences = [fence for value, _ in marks if (fence := Fence.of(value)) is not None]
    editions = [each for fence in fences for each in (fence.edition, fence.following) if each]
    return Marks(edition, findings, whole, closed, {each.number for each in editions})


def _wrong(
    shard: Shard, value: bytes | None, edition: Edition, latest: Edition, token: bytes | None
) -> Finding | None:
    """Return what is wrong with a fence, if something is."""
    key, fence = shard.keys.fence, Fence.of(value)
    if fence is None:
        return Finding('fence_missing', key, value=value)
    if fence.following is not None:
        living = fence.token == token
        return None if living else Finding('fence_prepared', key, value=value)
    if fence.edition < edition:
        return Finding('fence_behind', key, field=str(edition.number), value=value)
    if fence.edition > latest:
        return Finding('fence_ahead', key, field=str(latest.number), value=value)
    return None


def repair_marks(schema: Schema, marks: Marks) -> Flow[Sequence[Finding]]:
    """Set the marks right; return the findings that are gone.

    A fence that is gone is set again where the kept mark says that the data is there. What a
    partition has lost stays lost.

    :raises ResetInProgressError: if a reset that is about to go live does not for too long
    """
    whole = {shard.number for shard in marks.whole}
    absent = {each.key for each in marks.findings if each.kind == 'fence_missing'}
    for finding in marks.findings:
        if finding.kind == 'fence_missing':
            shard = next(each for each in marks.closed if each.keys.fence == finding.key)
            if shard.number in whole:
                yield from _set_fence(shard, finding.value)
    if any(finding.kind == 'pointer_missing' for finding in marks.findings):
        yield from open_model(schema)
    numbers = [shard.number for shard in marks.closed if shard.keys.fence not in absent]
    if numbers and known(schema) == marks.edition:
        yield from settle(schema, numbers, writes=True)
    left = {_what(finding) for finding in (yield from examine_marks(schema)).findings}
    return [finding for finding in marks.findings if _what(finding) not in left]


def _what(finding: Finding) -> tuple[str, bytes]:
    """Return the kind of a finding, and where it is, whatever the edition."""
    return finding.kind, finding.key.partition(b'}')[0]


def _set_fence(shard: Shard, value: bytes | None) -> Flow[None]:
    key = shard.keys.fence
    if value is None:
        command = ('SET', key, shard.open, 'NX')
    else:
        command = REPLACE([key], value, shard.open)
    yield from at_places([(key, [command])])
