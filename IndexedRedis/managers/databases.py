"""``findModels()`` and the reports that other methods return."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from .._core.flows import Progress
from .._core.inspection.databases import FoundModel, find_models
from .._core.inspection.explanation import Explanation
from .._core.inspection.model_info import ModelInfo
from .._core.integrity.report import CheckReport
from ..connections.tasks import async_executor_for
from ..connections.threads import executor_for
from ..twins import awaitable

__all__ = ('CheckReport', 'Explanation', 'FoundModel', 'ModelInfo', 'afindModels', 'findModels')


def findModels(
    params: Mapping[str, Any] | None = None, sample: int = 100, progress: Progress | None = None
) -> list[FoundModel]:
    """Return the models that a database holds, found by the names of its keys. It only reads.

    :param params: connection parameters, as of :func:`setDefaultRedisConnectionParams`; None means
        the default ones
    :param sample: number of objects, and of index sets, of each model whose memory is measured
    :param progress: called as ``progress('keys', done, total)`` at least once a page; on a cluster,
        for one primary after the other
    :returns: the models, ordered by ``KEY_NAME``; on a cluster, of all primaries
    :raises ConnectionSetupError: if the server is a node of a cluster, and the parameters do not
        say so

    Redis: ``SCAN`` in pages of 500, on a cluster on each primary; for each model scripts of up to
    100 keys with ``SCARD``, and with ``MEMORY USAGE`` and ``OBJECT ENCODING`` if the server allows
    them.
    """
    found: list[FoundModel] = _executor(executor_for, params).run(find_models(sample, progress))
    return found


@awaitable(findModels)
async def afindModels(
    params: Mapping[str, Any] | None = None, sample: int = 100, progress: Progress | None = None
) -> list[FoundModel]:
    executor = _executor(async_executor_for, params)
    found: list[FoundModel] = await executor.run(find_models(sample, progress))
    return found


def _executor(make: Callable[..., Any], params: Mapping[str, Any] | None) -> Any:
    return make(params, executor_of=lambda model: make(params, model=model))
