"""Hold the samples of a run: one :class:`Result` per work, every sample of every subject.

Medians, quartiles and ratios are computed from the samples where they are shown.
"""

from __future__ import annotations

import json
import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

US = 'IndexedRedis'
BEFORE = 'before'  # the same library from another checkout
OLD = '6.0.3'
BY_HAND = 'redis-py by hand'
PLAIN = 'plain'  # a model without partitions
FLOOR = 'floor'  # the same bytes over a bare socket: a figure of works that read
DATABASES = ('PostgreSQL', 'MariaDB')  # which servers of their own hold

Samples = dict[str, list[float]]


@dataclass
class Result:
    """One work and what it took.

    :param unit: of the samples: ``ms``, ``bytes``, ``pages/s`` ...
    :param samples: by subject, in the order of the rounds
    :param more: other figures of the same rounds, by heading and subject
    :param longest: by subject, the longest single command: milliseconds on the server, its name
    :param note: what a reader must know of it
    """

    work: str
    unit: str
    samples: Samples
    more: dict[str, Samples] = field(default_factory=dict)
    longest: dict[str, Sequence[Any]] = field(default_factory=dict)
    higher_is_better: bool = False
    note: str = ''

    def median(self, subject: str) -> float:
        """Return the median of a subject's samples."""
        return statistics.median(self.samples[subject])

    def ratio(self, subject: str, us: str = US) -> float:
        """Return how many times better ``us`` is than the subject, by the medians."""
        return self._better(self.median(us), self.median(subject))

    def ratios(self, subject: str, us: str = US) -> tuple[float, float, float]:
        """Return the quartiles of the ratios of the rounds."""
        pairs = zip(self.samples[us], self.samples[subject], strict=False)
        return quartiles([self._better(*pair) for pair in pairs])

    def of_the_floor(self) -> float | None:
        """Return how many times the floor this library takes; None where it was not measured."""
        floor = self.more.get(FLOOR, {}).get(US)
        return self.median(US) / statistics.median(floor) if floor else None

    def _better(self, ours: float, theirs: float) -> float:
        return ours / theirs if self.higher_is_better else theirs / ours


@dataclass
class Group:
    """The results of one kind of measurement, and the machine they were measured ``on``."""

    on: dict[str, Any]
    results: list[Result]

    def __getitem__(self, work: str) -> Result:
        """Return the result of a work."""
        return next(each for each in self.results if each.work == work)


def quartiles(samples: list[float]) -> tuple[float, float, float]:
    """Return the lower quartile, the median and the upper quartile."""
    if len(samples) == 1:
        return samples[0], samples[0], samples[0]
    low, middle, high = statistics.quantiles(samples, n=4, method='inclusive')
    return low, middle, high


def save(path: Path, groups: dict[str, Group]) -> None:
    """Write groups to a JSON file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    plain = {name: asdict(group) for name, group in groups.items()}
    path.write_text(json.dumps(plain, indent=1) + '\n', 'utf-8')


def load(path: Path) -> dict[str, Group]:
    """Read what :func:`save` wrote."""
    groups = json.loads(path.read_text('utf-8'))
    return {
        name: Group(group['on'], [Result(**each) for each in group['results']])
        for name, group in groups.items()
    }
