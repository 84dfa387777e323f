"""What runs in the process of a worker: it reads its part of each select, converts and stages it.

The rule: a worker ends at once when the process of the run is gone.
"""

from __future__ import annotations

import os
import pickle
import signal
from collections.abc import Iterator
from queue import SimpleQueue
from threading import Event, Thread
from typing import Any, NamedTuple, TypeVar, cast

from ...errors import MirrorError
from ..attempt import Input
from ..database import Snapshot, open_snapshot
from ..order import targets_of
from .blueprint import Blueprint, Built, built
from .messages import Alive, All, Begin, Done, Failed, Keys, Load, Over, Ready, Rows, failure_of
from .moment import join
from .part import Part
from .pipe import Pipe

__all__ = ('Order', 'work')

T = TypeVar('T')

# How often a worker says that it runs.
ALIVE_SECONDS = 1.0
# How long the last message may take.
LAST_SECONDS = 10.0
# The exit status of a worker whose run is gone.
ABANDONED = 3
# Keys in one message.
BLOCK = 10_000


class Order(NamedTuple):
    """What a worker is started with.

    :param number: that of the worker, from 0
    :param blueprint: what it makes the mirror from
    :param skip_bad: the rule of the run
    :param careful: whether the driver returns as text what it cannot read
    """

    number: int
    blueprint: Blueprint
    skip_bad: bool
    careful: bool


def work(connection: Any, packed: bytes) -> None:
    """Work as ordered, until the run is over.

    :param connection: the worker's end of the pipe
    :param packed: the pickled :class:`Order`
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C ends the run, which ends the workers
    inbox: SimpleQueue[Any] = SimpleQueue()
    # Not sys.exit(): the other thread may wait for the database.
    pipe = Pipe(connection, inbox.put, lambda: os._exit(ABANDONED))
    over = Event()
    Thread(target=_say_alive, args=(pipe, over), daemon=True).start()
    try:
        order: Order = pickle.loads(packed)
        _Worker(order, built(order.blueprint), pipe, inbox).work()
    except BaseException as error:
        pipe.send(failure_of(error))
    over.set()
    pipe.finish(LAST_SECONDS)


def _say_alive(pipe: Pipe, over: Event) -> None:
    while not over.wait(ALIVE_SECONDS):
        pipe.send(Alive())


class _Worker:
    def __init__(self, order: Order, built: Built, pipe: Pipe, inbox: SimpleQueue[Any]) -> None:
        self._order, self._built, self._pipe, self._inbox = order, built, pipe, inbox
        self._sources = built.sources
        #: sources whose parts are all staged; those of which this worker has sent its keys
        self._complete: set[int] = set()
        self._sent: set[int] = set()
        #: keys of others, of sources whose own keys are not sent yet
        self._early: list[Keys] = []

    def work(self) -> None:
        with open_snapshot(self._built.database) as snapshot:
            self._pipe.send(Ready())
            begin = self._next(Begin)
            join(snapshot.connection, begin.moment)
            self._pipe.send(Ready())
            if self._order.careful:
                snapshot.be_careful()
            self._load(snapshot, self._next(Load))
            while not isinstance(self._next(), Over):
                pass  # the keys that other workers needed

    def _next(self, kind: type[T] | None = None) -> T:
        """Wait for the next message.

        :param kind: the only kind that can come
        :raises MirrorError: if it cannot be unpickled here
        """
        message = self._inbox.get()
        if isinstance(message, Failed):
            raise MirrorError(f'A message of the run cannot be read: {message.text}')
        assert kind is None or isinstance(message, kind)
        return cast(T, message)

    def _load(self, snapshot: Snapshot, load: Load) -> None:
        part = Part(self._input(snapshot), self._order.number, load)
        for number, source in enumerate(self._sources):
            for target in targets_of(source, self._sources):
                self._await(self._sources.index(target), part)
            unused = part.load(source)
            for keys in self._keys_of(number, part):
                self._pipe.send(keys)
            self._sent.add(number)
            self._take_early(part)
            self._pipe.send(Done(number, *part.figures(source), unused))

    def _input(self, snapshot: Snapshot) -> Input:
        sources = self._sources
        numbers = {source.name: number for number, source in enumerate(sources)}
        reported = dict.fromkeys(numbers, 0)

        def progress(name: str, done: int, total: int | None) -> None:
            self._pipe.send(Rows(numbers[name], done - reported[name]))
            reported[name] = done

        nothing = dict.fromkeys(sources, 0)
        rules = self._built.rules._replace(skip_bad=self._order.skip_bad)
        return Input(snapshot, sources, nothing, {**nothing}, rules, progress, None)

    def _await(self, number: int, part: Part) -> None:
        """Wait until the keys of all rows of a source are here."""
        while number not in self._complete:
            message: Any = self._next()
            if isinstance(message, All):
                self._complete.add(message.source)
            else:
                self._early.append(message)
                self._take_early(part)

    def _take_early(self, part: Part) -> None:
        for keys in self._early:
            if keys.source in self._sent:
                part.take_keys(self._sources[keys.source], *pickle.loads(keys.packed))
        self._early = [keys for keys in self._early if keys.source not in self._sent]

    def _keys_of(self, number: int, part: Part) -> Iterator[Keys]:
        """Yield the keys of the rows of a source that were staged here, if others need them."""
        source = self._sources[number]
        is_target = any(source in targets_of(other, self._sources) for other in self._sources)
        if is_target or not part.cuts[source].apart:
            for keys, pks, stored in part.keys(source, BLOCK):
                yield Keys(number, pickle.dumps((keys, pks)), pickle.dumps(stored))
