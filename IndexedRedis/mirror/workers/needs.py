"""What several workers need of the definition of a mirror.

The rule: a mirror of one worker imports nothing else of this folder.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from ...errors import UsageError
from ..order import links_to_itself
from ..source import Source

__all__ = ('check_workers', 'refuse_following')


def check_workers(workers: Any, mode: str, sources: Sequence[Source]) -> None:
    """Check that the models of a mirror can be loaded by several workers.

    :param workers: how many
    :param mode: that of the mirror, or of a run
    :raises UsageError: with all reasons against it
    """
    if type(workers) is not int or workers < 1:
        raise UsageError(f'workers is a number of processes from 1, not {workers!r}.')
    problems = [] if workers == 1 else [*_problems(workers, mode, sources)]
    if problems:
        raise UsageError('\n'.join(problems))


def _problems(workers: int, mode: str, sources: Sequence[Source]) -> Iterator[str]:
    if mode != 'full':
        yield (
            f'{_names(sources)}: workers={workers} replaces all data; mode={mode!r} writes '
            "changes, which one process does. Use mode='full', or workers=1."
        )
    for source in sources:
        if not getattr(source.model, 'PARTITIONS', 0):
            yield (
                f'{source.name}: workers={workers} needs a partitioned model, whose rows several '
                'processes can stage. Give it PARTITIONS = 48, or load with workers=1.'
            )
        if not source.key and not links_to_itself(source):
            yield (
                f'{source.name}: workers={workers} cuts the rows by their key. Name it in '
                f'keys={{{source.name}: ...}}, or load with workers=1.'
            )


def refuse_following(workers: int, sources: Sequence[Source]) -> None:
    """Refuse to follow a database with several workers.

    :raises UsageError: if there are several
    """
    if workers > 1:
        raise UsageError(
            f'{_names(sources)}: the mirror has workers={workers}, and one process follows a '
            'database, which loads the data too. Follow with a mirror of workers=1.'
        )


def _names(sources: Sequence[Source]) -> str:
    return ', '.join(source.name for source in sources)
