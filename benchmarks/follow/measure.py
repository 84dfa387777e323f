"""Measure a follower of each database: how soon commits are visible, and how many it takes."""

from collections.abc import Iterator

from ..results import DATABASES, Result
from ..run import Run
from ..running.databases import started, urls_of, versions
from ..running.turns import compare
from .rows import CONFIG


def follow(run: Run) -> Iterator[Result]:
    """Measure the followers in turns."""
    with started(run, DATABASES, CONFIG) as engines:
        note = versions(engines)
        crew = run.crew('follow.works', engines, urls=urls_of(engines))
        for result in compare(run, 'follow', crew):
            if 'single-row' in result.work:
                note = 'The follower is suspended while they are committed; then it catches up.'
            result.note, note = note, ''
            yield result
