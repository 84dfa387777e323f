"""check() and repair() of a model with partitions.

First the marks that say which edition is true, then the objects of each partition, then all keys,
by one scan of each server. All of it is of one edition: if a reset goes live meanwhile, the work
begins anew.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from typing import Any, TypeVar

from ...errors import ConflictError, PartitionLostError, ResetInProgressError
from ..flows import Batch, Everywhere, Fenced, Flow, Progress, ask, chunks, whole
from ..inspection.eviction import eviction_warnings
from ..keys import KeyParts
from ..locking.locks import LockOwner, locked
from ..mapping.schema import Schema
from ..partitions.editions.fence import Edition, Fence
from ..partitions.editions.known import FIRST, known
from ..partitions.editions.settling import settle
from ..partitions.layout import SHARED, Shard
from ..partitions.spread import at_places, guarded, spread, witnessed
from ..partitions.walking import walk_keys
from ..writes.acknowledging import acknowledge
from . import check as one
from .keyspace import examine_names
from .marks import Marks, examine_marks, repair_marks
from .probe import NO_EXPIRY
from .report import CheckReport, Finding
from .survey import Survey

__all__ = ('check', 'repair')

T = TypeVar('T')
Finish = Callable[[LockOwner], Flow[Any]]

# How often resets may go live during one check.
ATTEMPTS = 20
# Partitions whose objects are examined side by side.
AT_ONCE = 4
# Keys of other editions that one walk collects, and that are removed in one trip.
COLLECTED = 100_000
REMOVED = 500


def check(schema: Schema, progress: Progress | None = None) -> Flow[CheckReport]:
    """Return the report on a model; only read."""
    if not schema.partitions:
        return (yield from one.check(schema, progress))
    return (yield from _examine(schema, progress, None, None))


def repair(
    schema: Schema, token: bytes, finish: Finish, progress: Progress | None = None
) -> Flow[CheckReport]:
    """Do what :func:`check` does, and repair what it finds.

    :param token: text that no reset has
    :param finish: gives the flow that finishes what dead resets left, for the owner of the lock
    """
    if not schema.partitions:
        return (yield from one.repair(schema, token, progress))
    return (yield from _examine(schema, progress, token, finish))


def _examine(
    schema: Schema, progress: Progress | None, token: bytes | None, finish: Finish | None
) -> Flow[CheckReport]:
    for _ in range(ATTEMPTS):
        with suppress(Fenced):  # a reset has gone live
            report: CheckReport = yield from whole(
                lambda: _Examination(schema, progress, token, finish).run()
            )
            return report
        if token is not None:  # a flip that is about to be committed keeps writers waiting
            with suppress(PartitionLostError):
                edition = known(schema) or Edition(FIRST, schema.partitions)
                yield from settle(schema, range(edition.partitions), writes=True)
    raise ConflictError(
        f'{schema.name}: {ATTEMPTS} resets went live while the model was being examined. Try '
        'again while nobody resets it.'
    )


class _Examination:
    """One check or repair of all partitions.

    :param token: text that no reset has, for a repair; None: check only
    :param finish: as of :func:`repair`
    """

    def __init__(
        self,
        schema: Schema,
        progress: Progress | None,
        token: bytes | None,
        finish: Finish | None,
    ) -> None:
        self._schema, self._token, self._finish_dead = schema, token, finish
        self._progress = progress or (lambda step, done, total: None)
        self._report = CheckReport(schema.name)
        self._removes = False
        #: the true edition, and numbers of all editions that something names
        self._edition: Edition | None = None
        self._named = set[int]()
        self._done: dict[int, tuple[int, int]] = {}
        self._surveys: dict[int, Survey] = {}
        self._strays: dict[bytes, KeyParts] = {}

    def run(self) -> Flow[CheckReport]:
        """Examine everything; return the report.

        :raises Fenced: if a reset goes live meanwhile
        :raises ScanLost: if another server takes over meanwhile
        """
        shards = yield from self._marks()
        if shards is None:
            return self._report
        for shard in shards:
            tell = self._teller(shard.number)
            self._surveys[shard.number] = Survey(shard, tell, self._token, self._report)
        yield from self._measure(shards)
        sound = []
        for some in chunks(shards, AT_ONCE):
            done = yield from self._spread(some, one.examine_objects)
            sound += [shard for shard in some if done[shard.number]]
        yield from self._walk(sound)
        for some in chunks(sound, AT_ONCE):
            yield from self._spread(some, self._finish)
        warnings = yield Everywhere(eviction_warnings)
        self._report.warnings += dict.fromkeys(text for each in warnings for text in each)
        return self._report

    def _marks(self) -> Flow[list[Shard] | None]:
        """Examine the marks; return the partitions that can be examined.

        None if the pointer holds something else: which edition is true is then unknown.
        """
        marks = yield from self._noted_marks()
        if any(finding.kind == 'wrong_type' for finding in marks.findings):
            return None
        if marks.findings and self._token is not None:
            for finding in (yield from repair_marks(self._schema, marks)):
                self._report.note_repaired(finding)
            marks = yield from self._noted_marks()
        # What other editions have left may be all that there is of a lost partition.
        self._removes = self._token is not None and not marks.findings
        self._edition = marks.edition
        yield from self._settle_dead()
        self._named = {*marks.named, SHARED, marks.edition.number, *(yield from self._recorded())}
        if self._token is None:
            return [*marks.whole]
        closed = {shard.number for shard in marks.closed}
        return [shard for shard in marks.whole if shard.number not in closed]

    def _settle_dead(self) -> Flow[None]:
        """Report the editions of dead resets, and finish these: nobody holds the lock."""
        keys = self._schema.keys
        lock = yield from ask('GET', keys.lock)
        dead = [] if lock else sorted((yield from self._recorded()))
        findings = [Finding('leftover', keys.editions, b'%d' % number) for number in dead]
        for finding in findings:
            self._report.note(finding)
        if findings and self._removes and self._finish_dead and self._token is not None:
            owner = LockOwner(self._schema, self._token)
            with suppress(ResetInProgressError):
                yield from locked([owner], self._finish_dead(owner))
            left = yield from self._recorded()
            for number, finding in zip(dead, findings, strict=True):
                if number not in left:
                    self._report.note_repaired(finding)

    def _noted_marks(self) -> Flow[Marks]:
        marks = yield from examine_marks(self._schema)
        for finding in marks.findings:
            self._report.note(finding)
        return marks

    def _measure(self, shards: Sequence[Shard]) -> Flow[None]:
        """Note how many objects there are, for the progress."""
        asked = [(s.keys.fence, [('EXISTS', s.keys.all), ('SCARD', s.keys.all)]) for s in shards]
        with suppress(Exception):  # a key of another type is a finding of its own
            for shard, (_, size) in zip(shards, (yield from at_places(asked)), strict=True):
                self._done[shard.number] = 0, size

    def _teller(self, number: int) -> Progress:
        def tell(step: str, done: int, total: int) -> None:
            self._done[number] = done, total
            dones, totals = zip(*self._done.values(), strict=True)
            self._progress(step, sum(dones), sum(totals))

        return tell

    def _spread(
        self, shards: Sequence[Shard], make: Callable[[Survey], Flow[T]]
    ) -> Flow[dict[int, T]]:
        """Run a flow for each partition; return the results."""
        flows = {
            shard.number: (shard.keys.fence, self._on(shard, make(self._surveys[shard.number])))
            for shard in shards
        }
        outcomes = yield from spread(flows)
        return {number: outcome.result for number, outcome in outcomes.items()}

    def _on(self, shard: Shard, flow: Flow[T]) -> Flow[T]:
        """Run a flow on a partition; it ends with ``Fenced`` if a reset goes live."""
        return witnessed(flow, shard, _check_kept) if self._token is None else guarded(flow, shard)

    def _walk(self, shards: Sequence[Shard]) -> Flow[None]:
        """Examine all keys of the partitions, and those of other editions."""

        def examine(shard: Shard, names: list[bytes]) -> Flow[None]:
            return self._on(shard, examine_names(self._surveys[shard.number], names))

        def tell(done: int, total: int) -> None:
            self._progress('keys', done, total)

        yield from walk_keys(self._schema, shards, examine, self._collect, tell=tell)
        while self._strays:
            full = len(self._strays) >= COLLECTED
            removed = yield from self._settle_strays()
            self._strays.clear()
            if full and removed:  # there may be more
                yield from walk_keys(self._schema, (), examine, self._collect)

    def _collect(self, keys: Sequence[tuple[bytes, KeyParts]]) -> Flow[None]:
        """Collect keys of editions that nothing names, if they never expire."""
        others = [pair for pair in keys if pair[1].edition not in self._named]
        if others and len(self._strays) < COLLECTED:
            ttls = yield Batch([('PTTL', key) for key, _ in others])
            self._strays.update(
                pair for pair, ttl in zip(others, ttls, strict=True) if ttl == NO_EXPIRY
            )

    def _settle_strays(self) -> Flow[int]:
        """Report what was collected, and remove it; return how many keys were removed."""
        removed = 0
        for some in chunks((yield from self._left(self._strays)), REMOVED):
            findings = [_left_of(key, self._strays[key]) for key in some]
            for finding in findings:
                self._report.note(finding)
            if self._removes:
                with suppress(ResetInProgressError):
                    for finding in (yield from self._remove(findings)):
                        self._report.note_repaired(finding)
                        removed += 1
        return removed

    def _recorded(self) -> Flow[set[int]]:
        """Return the numbers of the editions that a reset is staging, or is to drop.

        A reset enters an edition in the record before it writes a key of it.

        :raises Fenced: if a reset has gone live
        """
        keys = self._schema.keys
        listed, text = yield Batch([('HKEYS', keys.editions), ('GET', keys.edition)])
        pointer = Fence.of(text)
        if pointer is not None and pointer.edition != self._edition:
            raise Fenced(text)
        return {int(number) for number in listed if number.isdigit()}

    def _left(self, keys: Iterable[bytes]) -> Flow[list[bytes]]:
        """Return those of the collected keys that are of no edition on record."""
        recorded = yield from self._recorded()
        return [key for key in keys if self._strays[key].edition not in recorded]

    def _remove(self, findings: Sequence[Finding]) -> Flow[list[Finding]]:
        """Remove keys of other editions; nobody begins an edition meanwhile, for want of the lock.

        :raises ResetInProgressError: if another owner holds the lock for too long
        """
        assert self._token is not None
        owner = LockOwner(self._schema, self._token)

        def remove() -> Flow[list[Finding]]:
            left = {*(yield from self._left(finding.key for finding in findings))}
            wanted = [finding for finding in findings if finding.key in left]
            yield from at_places([*_removals(finding.key for finding in wanted)])
            return wanted

        return (yield from locked([owner], remove()))

    def _finish(self, survey: Survey) -> Flow[None]:
        yield from one.examine_counter(survey)
        if self._token is not None:
            yield from acknowledge([survey.schema])


def _check_kept(shard: Shard, fence: bytes | None, kept: bytes | None) -> None:
    if kept is None:
        raise Fenced(fence or b'absent')


def _left_of(key: bytes, parts: KeyParts) -> Finding:
    return Finding('edition_left', key, b'%d' % (parts.edition or 0))


def _removals(keys: Iterable[bytes]) -> Iterable[tuple[bytes, Sequence[Any]]]:
    """Yield for each tag a key and the commands that remove keys."""
    groups: dict[bytes, list[bytes]] = {}
    for key in keys:
        groups.setdefault(key.partition(b'}')[0], []).append(key)
    for some in groups.values():
        yield some[0], [('UNLINK', *some)]
