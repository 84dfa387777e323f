"""What people and programs look at databases with.

Loaded when a name of it is asked for, so that programs that serve requests start sooner.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .._core.inspection.databases import FoundModel, find_models
from .._core.inspection.explanation import Explanation
from .._core.inspection.model_info import ModelInfo
from .._core.integrity.report import CheckReport
from .._core.integrity.survey import Progress
from ..connections.tasks import async_executor_for
from ..connections.threads import executor_for
from ..twins import awaitable

__all__ = ('CheckReport', 'Explanation', 'FoundModel', 'ModelInfo', 'afindModels', 'findModels')


def findModels(
    params: Mapping[str, Any] | None = None, sample: int = 100, progress: Progress | None = None
) -> list[FoundModel]:
    """Find the models that a database holds, by the names of its keys.

    Whole databases may be looked at: it goes page by page and only reads.

    :param params: connection parameters, as of :func:`setDefaultRedisConnectionParams`; None: the
        default ones
    :param sample: how many objects, and how many index sets, of each model are asked for their
        memory
    :param progress: called as ``progress('keys', done, total)`` at least once a page
    :returns: the models, in the order of their ``KEY_NAME``

    Redis: ``SCAN`` in pages of 500; for each model scripts that look at up to 100 keys:
    ``SCARD``, ``MEMORY USAGE`` and ``OBJECT ENCODING`` where the server allows them.
    """
    found: list[FoundModel] = executor_for(params).run(find_models(sample, progress))
    return found


@awaitable(findModels)
async def afindModels(
    params: Mapping[str, Any] | None = None, sample: int = 100, progress: Progress | None = None
) -> list[FoundModel]:
    found: list[FoundModel] = await async_executor_for(params).run(find_models(sample, progress))
    return found


BY_NAME = {name: globals()[name] for name in __all__}
