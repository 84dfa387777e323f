"""The report of a run: figures for each model, and where the time went."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from threading import Event
from typing import Any

from ..errors import MirrorError, MirrorRunningError

__all__ = ('MirrorReport', 'ModelReport', 'StoppedError', 'logged', 'logger', 'until')

logger = logging.getLogger('IndexedRedis')
logger.addHandler(logging.NullHandler())  # a program that sets up no logging sees nothing


# What a run did, by its mode.
WHAT = {'full': 'full swap', 'diff': 'changes only', 'changed': 'changed rows only'}


class StoppedError(MirrorError):
    """Somebody ended the run; nothing was changed."""


@dataclass
class ModelReport:
    """The figures of one model.

    ``read`` counts rows. ``written`` counts new and changed objects, ``unchanged`` those that kept
    their row, and ``removed`` those that the new data lacks. A full swap writes and removes
    everything. ``bad`` counts rows that do not fit, ``dangling`` links that lead to no row, and
    ``skipped`` rows left out for such a link. ``bytes`` is the stored size of all values.
    """

    read: int = 0
    written: int = 0
    unchanged: int = 0
    removed: int = 0
    bad: int = 0
    skipped: int = 0
    dangling: int = 0
    bytes: int = 0


@dataclass
class MirrorReport:
    """The outcome of a run.

    ``mode`` is ``'full'``, ``'diff'`` or ``'changed'``, as it was carried out; ``fallback`` says
    why another one became a full swap. ``mirrored`` is when reading began, as ``mirroredAt()``
    returns it. ``seconds`` has the phases ``read`` (SQL), ``convert``, ``stage``, ``swap``, and
    ``all``; of several workers, the first three are sums. ``warnings`` lists the rows and links
    that were left out, with examples.
    """

    mode: str
    mirrored: str
    dryRun: bool = False
    fallback: str = ''
    models: dict[str, ModelReport] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)

    def asDict(self) -> dict[str, Any]:
        """Return the report as plain values that JSON can hold."""
        return asdict(self)

    def __str__(self) -> str:
        first, *figures = self._lines()
        if self.fallback:
            first += f'\nFull swap instead of changes: {self.fallback}'
        return '\n'.join([first, *figures, *self.warnings])

    def _lines(self) -> list[str]:
        """Return what was done, and the figures of each model: without values of rows."""
        if self.dryRun:
            what = 'dry run, nothing written'
        else:
            what = WHAT[self.mode]
        took = ', '.join(f'{phase} {spent:.2f} s' for phase, spent in self.seconds.items())
        return [f'Mirrored at {self.mirrored} ({what}): {took}', *map(_line, self.models.items())]


@contextmanager
def logged(models: Iterable[Any]) -> Iterator[Callable[[MirrorReport], MirrorReport]]:
    """Log the begin and the end of a run; yield what takes its report, and returns it."""
    names = ', '.join(model.__name__ for model in models)
    logger.info('mirror of %s: begins', names)

    def done(report: MirrorReport) -> MirrorReport:
        if report.fallback:
            logger.info('mirror of %s: a full swap instead of changes', names)
        if report.warnings:
            logger.warning('mirror of %s: rows or links were left out', names)
        logger.info('mirror of %s: %s', names, '; '.join(report._lines()))
        return report

    try:
        yield done
    except MirrorRunningError:
        logger.info('mirror of %s: another run is under way', names)
        raise
    except StoppedError:
        logger.info('mirror of %s: stopped', names)
        raise
    except Exception as error:  # its text may quote rows
        logger.error('mirror of %s: failed: %s', names, type(error).__name__)
        raise


def until(stop: Event, progress: Callable[[str, int, int | None], Any] | None) -> Any:
    """Return a progress function that ends the run once an event is set."""

    def report(name: str, done: int, total: int | None) -> None:
        if stop.is_set():
            raise StoppedError('The run was stopped. Nothing was changed.')
        if progress:
            progress(name, done, total)

    return report


def _line(item: tuple[str, ModelReport]) -> str:
    name, model = item
    parts = [f'{model.read:,} rows', f'{model.written:,} written']
    more = {'unchanged': model.unchanged, 'removed': model.removed, 'do not fit': model.bad}
    more |= {'skipped': model.skipped, 'dangling links': model.dangling}
    parts += [f'{count:,} {what}' for what, count in more.items() if count]
    return f'{name}: {", ".join(parts)}, {model.bytes:,} bytes'
