"""Spans of OpenTelemetry for each operation. Needs the extra ``otel``.

:func:`instrument` replaces the ``run`` of the executors, so that a program without it does nothing
more than before. Rule: a span names methods, models and servers, and holds no value of a user.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any, TypeVar

from .._core.flows import Batch, Everywhere, Flow, Parts, Step, Stream
from ..errors import MissingExtraError
from ..executors.base import Executor
from ..executors.callers import public_method

__all__ = ('instrument', 'uninstrument')

T = TypeVar('T')

_ROOT = __name__.partition('.')[0]
# What was replaced: class, name, and the function that it had.
_replaced: list[tuple[Any, str, Any]] = []


def instrument(tracerProvider: Any = None) -> None:
    """Make a span for each operation of this library from now on, of threads and of asyncio.

    The span of ``Track.objects.all()`` has the name ``all Tracks``, of the method and of
    ``KEY_NAME``. A method and its awaitable twin have the same name. Another call replaces the
    tracer. :doc:`/operate/observing` lists the attributes.

    :param tracerProvider: a ``TracerProvider``; None means the global one
    :raises MissingExtraError: if the extra ``otel`` is not installed
    """
    try:
        from opentelemetry import trace
    except ImportError:
        raise MissingExtraError('otel', 'tracing') from None
    from ..executors.aio import AsyncExecutor
    from ..executors.sync import SyncExecutor

    uninstrument()
    tracer = trace.get_tracer(_ROOT, sys.modules[_ROOT].__version__, tracerProvider)
    init, run, arun = Executor.__init__, SyncExecutor.run, AsyncExecutor.run

    def noting_init(self: Any, pool: Any, executor_of: Any = None, model: Any = None) -> None:
        init(self, pool, executor_of, model)
        self.traced_model = model

    def traced_run(self: Any, flow: Flow[Any], *args: Any) -> Any:
        with _span(tracer, self, _operation()) as counting:
            return run(self, counting(flow), *args)

    def traced_arun(self: Any, flow: Flow[Any], *args: Any) -> Any:
        # Now: the frames of the caller are those of the public method.
        return awaited(self, flow, _operation().removeprefix('a'), args)

    async def awaited(self: Any, flow: Flow[Any], operation: str, args: Any) -> Any:
        with _span(tracer, self, operation) as counting:
            return await arun(self, counting(flow), *args)

    for owner, name, by in (
        (Executor, '__init__', noting_init),
        (SyncExecutor, 'run', traced_run),
        (AsyncExecutor, 'run', traced_arun),
    ):
        _replaced.append((owner, name, vars(owner)[name]))
        setattr(owner, name, by)


def uninstrument() -> None:
    """Make no more spans."""
    while _replaced:
        owner, name, before = _replaced.pop()
        setattr(owner, name, before)


def _operation() -> str:
    """Return the name of the public method that is running."""
    return public_method(sys._getframe(2)) or 'run'


@contextmanager
def _span(tracer: Any, executor: Any, operation: str) -> Iterator[Callable[[Flow[T]], Flow[T]]]:
    """Have a span while the block runs; yield what counts the commands of a flow for it."""
    from opentelemetry.trace import SpanKind, Status, StatusCode

    attributes = _attributes(executor, operation)
    name = ' '.join([operation, *filter(None, [attributes.get('db.collection.name')])])
    with tracer.start_as_current_span(
        name,
        kind=SpanKind.CLIENT,
        attributes=attributes,
        # The text of an error may quote a value.
        record_exception=False,
        set_status_on_exception=False,
    ) as span:
        count = _Commands()
        try:
            yield partial(_counted, count) if span.is_recording() else _same
        except BaseException as error:
            kind = f'{type(error).__module__}.{type(error).__qualname__}'
            kind = kind.removeprefix('builtins.')
            span.set_attribute('error.type', kind)
            span.set_status(Status(StatusCode.ERROR, kind))
            raise
        finally:
            if count.number > 1:  # it is for batches only
                span.set_attribute('db.operation.batch.size', count.number)


def _same(flow: Flow[T]) -> Flow[T]:
    return flow


def _attributes(executor: Any, operation: str) -> dict[str, Any]:
    """Return what is known of an operation before it begins."""
    at = getattr(executor.pool, 'connection_kwargs', None)  # of a cluster, it is on several nodes
    model = getattr(executor, 'traced_model', None)
    found = {
        'db.system.name': 'redis',
        'db.operation.name': operation,
        'db.collection.name': None if model is None else str(model.KEY_NAME),
    }
    if at is not None:
        found['db.namespace'] = str(at.get('db') or 0)
        found['server.address'] = at.get('path') or at.get('host', 'localhost')
        found['server.port'] = None if at.get('path') else at.get('port', 6379)
    return {name: value for name, value in found.items() if value is not None}


class _Commands:
    """How many commands a flow has sent."""

    number = 0

    def of(self, step: Step) -> Step:
        """Count a step, and return what does the same."""
        if isinstance(step, Batch):
            self.number += len(step.commands)
        elif isinstance(step, Parts):
            self.number += sum(len(batch.commands) for _, batch in step.batches)
        elif isinstance(step, Stream):
            return step._replace(batches=self._of_stream(step.batches))
        elif isinstance(step, Everywhere):
            return step._replace(make=lambda: _counted(self, step.make()))
        return step

    def _of_stream(self, batches: Iterable[Batch | None]) -> Iterator[Batch | None]:
        for batch in batches:
            self.number += len(batch.commands) if batch else 0
            yield batch


def _counted(count: _Commands, flow: Flow[T]) -> Flow[T]:
    """Run a flow, and count its commands."""
    try:
        step = next(flow)
        while True:
            try:
                outcome = yield count.of(step)
            except GeneratorExit:
                flow.close()
                raise
            except BaseException as error:
                step = flow.throw(error)
            else:
                step = flow.send(outcome)
    except StopIteration as stop:
        result: T = stop.value
        return result
