"""Describe what is timed."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple


class Job(NamedTuple):
    """A prepared work.

    :param run: is timed
    :param answer: turns what ``run`` returned into what subjects are compared by; not timed
    :param more: turns what ``run`` returned and its seconds into further figures, by heading
    """

    run: Callable[[], Any]
    answer: Callable[[Any], Any] = lambda returned: returned
    more: Callable[[Any, float], dict[str, float]] = lambda returned, seconds: {}


@dataclass(frozen=True, eq=False)
class Work:
    """Some work. The process of a subject prepares it; the parent process knows the rest.

    :param name: as tables show it
    :param prepare: returns the job, in the process of the subject
    :param how: ``sample`` times it, ``beside`` times the longest wait of a reader beside it,
        ``value`` takes what it returns
    :param per: operations (or objects) of one run; tables show the time of one
    :param unit: of the result
    :param rounds: rounds that count
    :param slow_rounds: the same for subjects that may be slow: other mappers and 6.0.3
    :param warm_up: rounds that do not count
    :param turns: neighbouring works with the same word take turns; their answers stay uncompared
    :param needs: the operation that a subject must have
    """

    name: str
    prepare: Callable[[], Job] | None = None
    how: str = 'sample'
    per: int = 1
    unit: str = 'ms'
    rounds: int = 1
    slow_rounds: int = 1_000
    warm_up: int = 1
    turns: str = ''
    needs: str = ''
