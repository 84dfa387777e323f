"""Processes that one thread plays step by step, over a real server. The rule: the flows are those
of the public calls; a process that dies is a flow that is never resumed.

    reset = Played(lambda: Row.reset(rows))
    reset.advance(7)
    Row.objects.all()  # what others see meanwhile
    reset.die()
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from IndexedRedis._core.flows import AnswerLost, Batch, Flow, Parts, Pause, Stream
from IndexedRedis.executors.sync import SyncExecutor


class _Caught(BaseException):
    """Carries the flow of a call, and its executor."""


def _flow_of(act: Callable[[], Any]) -> tuple[Any, Flow[Any]]:
    run = SyncExecutor.run

    def catch(self: Any, flow: Any, *args: Any, **more: Any) -> Any:
        raise _Caught(self, flow)

    SyncExecutor.run = catch  # type: ignore[method-assign]
    try:
        act()
    except _Caught as caught:
        executor, flow = caught.args
        return executor, flow
    finally:
        SyncExecutor.run = run  # type: ignore[method-assign]
    raise AssertionError('the call sends nothing')


class Played:
    """A call that goes on when it is told to.

    :param act: the call, which runs one flow
    :param backwards: what goes to several places at once arrives there in the other order
    :param send: carries out the flow of a step; None: the executor of the call does
    """

    def __init__(
        self,
        act: Callable[[], Any],
        backwards: bool = False,
        send: Callable[[Flow[Any]], Any] | None = None,
    ) -> None:
        executor, flow = _flow_of(act)
        self._send = send or executor.run
        self._flow, self._backwards = _stepwise(flow, backwards), backwards
        self.ended = self.waits = False
        self.result: Any = None
        self.error: Exception | None = None
        #: how many steps it has taken
        self.count = 0
        self._go_on(None)

    @property
    def next(self) -> Any:
        """The step that it is going to take: a batch, or a pause."""
        return self._step

    def step(self, times: int = 1, lost: bool = False) -> None:
        """Take a step.

        :param times: how often its batch is sent
        :param lost: its reply gets lost, so it is still to be taken; not if it must not be repeated
        """
        self.count += 1
        self.waits = isinstance(self._step, Pause)
        if self.waits:
            self._go_on(None)
            return
        for _ in range(times if not lost else 1):
            outcome = self._carry_out()
        batch = self._step.batches[0][1] if isinstance(self._step, Parts) else self._step
        if not lost:
            self._go_on(outcome)
        elif batch.once:
            self._go_on([AnswerLost()] if isinstance(self._step, Parts) else AnswerLost())

    def _carry_out(self) -> Any:
        try:
            return self._send(_only(self._step))
        except Exception as error:
            return error

    def _go_on(self, outcome: Any) -> None:
        try:
            if isinstance(outcome, Exception):
                self._step = self._flow.throw(outcome)
            else:
                self._step = self._flow.send(outcome)
        except StopIteration as stop:
            self.ended, self.result = True, stop.value
        except Exception as error:
            self.ended, self.error = True, error

    def advance(self, count: int) -> bool:
        """Take so many steps; whether it has not ended."""
        while count and not self.ended:
            self.step()
            count -= 1
        return not self.ended

    def until(self, is_so: Callable[[str], bool]) -> None:
        """Go on up to the first step whose text fits."""
        while not is_so(self.told()):
            self.step()
            assert not self.ended

    def told(self) -> str:
        """The commands of the next step as text, the names of scripts for their calls."""
        return '' if self.ended else told(self._step)

    def finish(self) -> Any:
        """Go on to the end; return the result."""
        while not self.ended:
            self.step()
        if self.error is not None:
            raise self.error
        return self.result

    def die(self) -> None:
        """Never go on."""
        self._flow.close()
        self.ended = True


def _only(step: Any) -> Flow[Any]:
    return (yield step)


def _stepwise(flow: Flow[Any], backwards: bool) -> Flow[Any]:
    """A flow each of whose steps is for one place."""
    try:
        step = next(flow)
        while True:
            try:
                outcome = yield from _one_by_one(step, backwards)
            except Exception as error:
                step = flow.throw(error)
            else:
                step = flow.send(outcome)
    except StopIteration as stop:
        return stop.value
    finally:
        flow.close()


def _one_by_one(step: Any, backwards: bool) -> Flow[Any]:
    if isinstance(step, Stream):
        for batch in filter(None, step.batches):
            step.consume((yield batch))
        return None
    if isinstance(step, Parts):
        numbers = [*range(len(step.batches))]
        outcomes: dict[int, Any] = {}
        for number in reversed(numbers) if backwards else numbers:
            (outcomes[number],) = yield Parts([step.batches[number]])
        return [outcomes[number] for number in numbers]
    return (yield step)


def told(step: Any) -> str:
    """The commands of a step as text."""
    from IndexedRedis._core.script import BY_SHA

    if isinstance(step, Pause):
        return 'pause'
    batch: Batch = step.batches[0][1] if isinstance(step, Parts) else step
    texts = []
    for name, *args in batch.commands:
        script = BY_SHA[args[0]].name if name == 'EVALSHA' else ''
        shown = args[1:] if name in ('EVALSHA', 'EVAL') else args
        texts.append(' '.join([script or name, *(str(arg) for arg in shown)]))
    return ' ; '.join(texts)
