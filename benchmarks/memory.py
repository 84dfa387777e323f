"""What an object takes in the process: ``tracemalloc``, after every field was read."""

from __future__ import annotations

from .dataset import Dataset
from .results import OLD, Result, figure
from .workers import Worker
from .works import Sizes

__all__ = ('measure',)

AIM = 2.0
REPEAT = 2


def measure(data: Dataset, sizes: Sizes, workers: list[Worker]) -> Result:
    """Bytes an object, of a large result that is kept."""
    filters, found = data.query(max(sizes.reads))
    taken: dict[str, list[float]] = {}
    for _ in range(REPEAT):
        for worker in workers:
            taken.setdefault(worker.name, []).append(worker.ask('memory', filters))
    figures = {name: figure(samples) for name, samples in taken.items()}
    name = f'memory of an object, {found:,} kept, every field read'
    return Result(name, 'bytes', figures, {OLD: AIM})
