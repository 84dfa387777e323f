"""What the tests of `Parts` share: flows, and the executors that run them."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterator
from typing import Any

import IndexedRedis as IR
from IndexedRedis._core.flows import Batch, Parts
from IndexedRedis._core.script import ALL, Script
from IndexedRedis.managers.manager import async_executor_of, executor_of

#: writes to one key, and returns what is stored there; it may be sent twice, as any batch
PUT = Script('PUT', "redis.call('SET', KEYS[1], ARGV[1])\nreturn redis.call('GET', KEYS[1])")
ALL.remove(PUT)  # it is not one of the library


def parts(*batches: tuple[str, Batch]) -> Any:
    """A flow of one `Parts`: tags and batches."""
    return (yield Parts([(f'{{{tag}}}'.encode(), batch) for tag, batch in batches]))


def put(tag: str, number: int, **how: Any) -> tuple[str, Batch]:
    """A part that sets the key of a tag by a script."""
    return tag, Batch([PUT([key_of(tag)], number)], **how)


def get(tag: str) -> tuple[str, Batch]:
    """A part that reads the key of a tag twice."""
    return tag, Batch([('GET', key_of(tag)), ('STRLEN', key_of(tag))])


def key_of(tag: str) -> bytes:
    return f'{{{tag}}}:number'.encode()


@contextlib.contextmanager
def running(how: str) -> Iterator[Callable[[Any, Any], Any]]:
    """`run(model, flow)`: by threads, or on asyncio."""
    if how == 'threads':
        yield lambda model, flow: executor_of(model).run(flow)
        return
    with asyncio.Runner() as runner:

        async def run(model: Any, flow: Any) -> Any:
            return await async_executor_of(model).run(flow)

        yield lambda model, flow: runner.run(run(model, flow))
        runner.run(IR.aclose())
