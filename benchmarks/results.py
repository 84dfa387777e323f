"""What a benchmark yields: one :class:`Result` per work, with the samples of every subject.

The rule: samples are kept as measured; medians, quartiles and ratios are computed where they are
shown, from the samples alone. Tables, JSON and chart know nothing but this.
"""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

__all__ = ('BY_HAND', 'OLD', 'US', 'Figure', 'Result', 'figure')

US = 'IndexedRedis'
OLD = '6.0.3'
BY_HAND = 'redis-py by hand'


@dataclass(frozen=True)
class Figure:
    """What one subject took for one work; in the unit of its result."""

    samples: tuple[float, ...]

    @property
    def median(self) -> float:
        """The median sample."""
        return statistics.median(self.samples)

    @property
    def quartiles(self) -> tuple[float, float]:
        """The lower and the upper quartile; of a single sample, that sample twice."""
        if len(self.samples) == 1:
            return self.samples[0], self.samples[0]
        low, _, high = statistics.quantiles(self.samples, n=4, method='inclusive')
        return low, high


@dataclass(frozen=True)
class Result:
    """One work and what it took.

    :param work: what was done, as the first column of the table says it
    :param unit: of all samples: ``ms``, ``us an object``, ``requests/s``, ``bytes`` ...
    :param figures: one figure per subject, :data:`US` among them
    :param aims: how many times better than each we are to be (1/1.3: at most 1.3x the time)
    :param limit: the most (or least) that our own median may be, in the unit
    :param higher_is_better: as for requests a second
    :param note: what a reader must know: a smaller size, a subject that cannot do this
    :param cpu: of that, what the client's own process worked, where that was measured
    :param longest: the longest single command: milliseconds on the server, and its name
    """

    work: str
    unit: str
    figures: dict[str, Figure]
    aims: dict[str, float] = field(default_factory=dict)
    limit: float | None = None
    higher_is_better: bool = False
    note: str = ''
    cpu: dict[str, Figure] = field(default_factory=dict)
    longest: dict[str, tuple[float, str]] = field(default_factory=dict)

    def ratio(self, subject: str, us: str = US) -> float:
        """How many times better than this subject we are, by the medians."""
        ours, theirs = self.figures[us].median, self.figures[subject].median
        return ours / theirs if self.higher_is_better else theirs / ours

    def as_json(self) -> dict[str, Any]:
        """Everything as plain dicts and lists."""
        return asdict(self)

    @classmethod
    def from_json(cls, plain: dict[str, Any]) -> Result:
        """The reverse of :meth:`as_json`."""
        figures, cpu = (
            {name: figure(each['samples']) for name, each in plain[what].items()}
            for what in ('figures', 'cpu')
        )
        longest = {name: (ms, command) for name, (ms, command) in plain['longest'].items()}
        return cls(**{**plain, 'figures': figures, 'cpu': cpu, 'longest': longest})


def figure(samples: Sequence[float]) -> Figure:
    """A figure of these samples."""
    return Figure(tuple(samples))
