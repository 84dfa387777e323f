"""Run a flow on each of several partitions at the same time.

In each round, all flows that have something to send send it: one ``Parts`` step. On a cluster this
is one write a node, to all nodes before the first reply; on one server, one write.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, Generic, TypeVar

from ..flows import Batch, Command, Fenced, Flow, Parts, Step, Stream
from ..mapping.resp import PACKED
from ..queries.by_pk import CHUNK_ROWS
from ..writes.acknowledging import check_acknowledged, wait_commands
from .editions.fence import fenced
from .layout import Shard

__all__ = ('Outcome', 'at_places', 'confirmed', 'guarded', 'spread', 'witnessed')

# Commands of one trip, of a stream that reads rows: those of a chunk, and what goes with it.
MOST_COMMANDS = CHUNK_ROWS + 10

T = TypeVar('T')
K = TypeVar('K')
# Receives a shard, and the values of fence and kept mark after each of its batches.
Witness = Callable[[Shard, bytes | None, bytes | None], None]


class Outcome(Generic[T]):
    """What became of one flow: its result, or its error."""

    __slots__ = ('_result', 'error')

    def __init__(self, result: Any, error: BaseException | None = None) -> None:
        self.error, self._result = error, result

    @property
    def result(self) -> T:
        """The result.

        :raises BaseException: the error of the flow
        """
        if self.error is not None:
            raise self.error
        result: T = self._result
        return result


def spread(flows: Mapping[K, tuple[bytes, Flow[T]]]) -> Flow[dict[K, Outcome[T]]]:
    """Run flows, each at the place of a key; return what became of each.

    :param flows: pairs of the key and the flow, which yields no streams: those of
        :func:`witnessed`, :func:`guarded` and :func:`confirmed` do not. Other steps than batches
        are carried out one after the other.
    """
    outcomes: dict[K, Outcome[T]] = {}
    waiting: dict[K, Step] = {}

    def go_on(name: K, outcome: Any) -> None:
        waiting.pop(name, None)
        flow = running[name]
        try:
            if isinstance(outcome, BaseException):
                waiting[name] = flow.throw(outcome)
            else:
                waiting[name] = flow.send(outcome)
        except StopIteration as stop:
            outcomes[name] = Outcome(stop.value)
        except Exception as error:
            outcomes[name] = Outcome(None, error)

    running = {name: flow for name, (_, flow) in flows.items()}
    try:
        for name in flows:
            go_on(name, None)
        while waiting:
            batches = {name: step for name, step in waiting.items() if isinstance(step, Batch)}
            if batches:
                replies = yield Parts([(flows[name][0], batch) for name, batch in batches.items()])
                for name, reply in zip(batches, replies, strict=True):
                    go_on(name, reply)
            for name, step in [*waiting.items()]:
                if not isinstance(step, Batch):
                    try:
                        done = yield step
                    except Exception as error:
                        done = error
                    go_on(name, done)
    finally:
        for flow in running.values():
            flow.close()
    return {name: outcomes[name] for name in flows}


def at_places(commands: Sequence[tuple[bytes, Sequence[Command]]]) -> Flow[list[list[Any]]]:
    """Send commands to the places of keys; return the replies to each.

    :raises Exception: the first error
    """
    replies = yield Parts([(key, Batch(some)) for key, some in commands])
    for reply in replies:
        if isinstance(reply, BaseException):
            raise reply
    found: list[list[Any]] = replies
    return found


def witnessed(flow: Flow[T], shard: Shard, note: Witness) -> Flow[T]:
    """Run a flow that reads a shard; note fence and kept mark after each of its batches."""
    return _with_batches(flow, shard, _with_marks, _noted, _groups, note)


def _with_marks(shard: Shard, batch: Batch) -> Batch:
    marks = ('MGET', shard.keys.fence, shard.keys.edition)
    return Batch([*batch.commands, marks], batch.once, batch.shared, batch.scan)


def _noted(shard: Shard, batch: Batch, replies: list[Any], note: Witness) -> list[Any]:
    *replies, (fence, kept) = replies
    note(shard, fence, kept)
    return replies


def guarded(flow: Flow[T], shard: Shard) -> Flow[T]:
    """Run a flow that writes a shard; throw ``Fenced`` into it once the edition is not true.

    That the fence is compared after each batch concerns what the flow reads: an edition that is no
    longer true may be empty.
    """
    return _with_batches(flow, shard, _with_fence, _unfenced, _one_by_one, None)


def _with_fence(shard: Shard, batch: Batch) -> Batch:
    batch = fenced(batch, shard)
    return batch._replace(commands=[*batch.commands, ('GET', shard.keys.fence)])


def _unfenced(shard: Shard, batch: Batch, replies: list[Any], note: None) -> list[Any]:
    *replies, fence = replies
    if fence != shard.open and not batch.once and not _commits(batch):
        raise Fenced(fence or b'absent')
    return replies


def _commits(batch: Batch) -> bool:
    """Whether a batch has written: its scripts have compared the fence before they did."""
    return any(command[0] in ('EVALSHA', 'EVAL', 'EXEC') for command in batch.commands)


def confirmed(flow: Flow[T], shard: Shard) -> Flow[T]:
    """Run a flow that writes a shard; wait for the replicas in each batch that may write.

    A wait of its own, behind several batches, could go to a primary that took over and lacks them.

    :raises NotAcknowledgedError: if too few replicas confirm a batch
    """
    return _with_batches(flow, shard, _with_waits, _acknowledged, _one_by_one, None)


def _waits_of(shard: Shard, batch: Batch) -> list[Command]:
    """Return what waits for the replicas behind a batch; nothing behind one that only reads."""
    only_reads = batch.scan is not None or _reads_rows(batch)
    return [] if only_reads else wait_commands([shard])


def _with_waits(shard: Shard, batch: Batch) -> Batch:
    return batch._replace(commands=[*batch.commands, *_waits_of(shard, batch)])


def _acknowledged(shard: Shard, batch: Batch, replies: list[Any], note: None) -> list[Any]:
    waits = _waits_of(shard, batch)
    check_acknowledged([shard], waits, replies)
    return replies[: len(replies) - len(waits)]


def _with_batches(
    flow: Flow[T],
    shard: Shard,
    add: Callable[[Shard, Batch], Batch],
    take: Callable[[Shard, Batch, list[Any], Any], list[Any]],
    groups: Callable[[Any], Any],
    note: Any,
) -> Flow[T]:
    """Run a flow, with more commands in each of its batches.

    These are functions of the module, since flows of many partitions are in memory at a time, and
    what each of them refers to costs the time of a garbage collection.

    :param add: returns what to send in place of a batch
    :param take: returns what the flow gets, of what was sent and its replies
    :param groups: makes groups of the batches of a stream, to be sent together
    :param note: the last argument of ``take``
    """
    try:
        step = next(flow)
        while True:
            try:
                outcome: Any = None
                if isinstance(step, Batch):
                    sent = add(shard, step)
                    outcome = yield sent
                    if outcome is not None:  # None: a cursor of another node
                        outcome = take(shard, sent, outcome, note)
                elif isinstance(step, Stream):
                    for group in groups(step.batches):
                        sent = add(shard, _merged(group))
                        replies = iter(take(shard, sent, (yield sent), note))
                        for batch in group:
                            step.consume(list(islice(replies, len(batch.commands))))
                else:
                    outcome = yield step
            except Exception as error:
                step = flow.throw(error)
            else:
                step = flow.send(outcome)
    except StopIteration as stop:
        result: T = stop.value
        return result
    finally:
        flow.close()


def _one_by_one(batches: Iterable[Batch | None]) -> Iterator[list[Batch]]:
    return ([batch] for batch in batches if batch is not None)


def _groups(batches: Iterable[Batch | None]) -> Iterator[list[Batch]]:
    """Yield the batches of a stream in groups, each for one trip: those that read rows together."""
    group: list[Batch] = []
    size = 0
    for batch in batches:
        count = len(batch.commands) if batch is not None and _reads_rows(batch) else MOST_COMMANDS
        if group and (batch is None or size + count > MOST_COMMANDS):
            yield group
            group, size = [], 0
        if batch is not None:
            group.append(batch)
            size += count
    if group:
        yield group


def _reads_rows(batch: Batch) -> bool:
    """Whether a batch reads rows, which is quick; other commands get a trip of their own."""
    return all(c[0] is PACKED or c[0] in ('SMISMEMBER', 'MGET') for c in batch.commands)


def _merged(group: Sequence[Batch]) -> Batch:
    if len(group) == 1:
        return group[0]
    return Batch([command for batch in group for command in batch.commands])
