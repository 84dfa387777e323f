"""Name what is timed: a :class:`Work` for the parent process, a :class:`Job` for the subject's."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NamedTuple


@dataclass(frozen=True, eq=False)
class Work:
    """Some work, as the parent process asks subjects for it.

    :param name: as tables show it
    :param task: the function of the subject's process that prepares a :class:`Job`
    :param args: the arguments of the task
    :param how: the command of :class:`benchmarks.running.serving.Worker` that samples it
    :param per: operations (or objects) of one run; tables show the time of one
    :param unit: of the result
    :param rounds: rounds that count
    :param slow_rounds: the same for subjects that may be slow: other mappers and 6.0.3
    :param warm_up: rounds that do not count
    :param needs: the operation that a subject must have
    :param objects: how many objects one read fetches
    :param every_field: whether every field of them is read
    """

    name: str
    task: str = ''
    args: dict[str, Any] = field(default_factory=dict)
    how: str = 'sample'
    per: int = 1
    unit: str = 'ms'
    rounds: int = 1
    slow_rounds: int = 1_000
    warm_up: int = 1
    needs: str = ''
    objects: int = 0
    every_field: bool = False


class Job(NamedTuple):
    """A prepared task.

    :param run: is timed
    :param answer: turns what ``run`` returned into what subjects are compared by; not timed
    :param more: turns what ``run`` returned and its seconds into further figures, by heading
    """

    run: Callable[[], Any]
    answer: Callable[[Any], Any] = lambda returned: returned
    more: Callable[[Any, float], dict[str, float]] = lambda returned, seconds: {}
