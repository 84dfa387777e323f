"""What came of a run: figures by model, and where the time went."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

__all__ = ('MirrorReport', 'ModelReport')


@dataclass
class ModelReport:
    """What came of one model.

    ``read`` rows gave ``written`` objects that are new or changed, and ``unchanged`` ones that kept
    their row; ``removed`` are those of before that are gone. A full swap writes everything and
    removes all that was there. Of the rows read, ``bad`` did not fit, and ``skipped`` had a link
    that led nowhere; ``dangling`` counts such links. ``bytes`` is the size of all values as stored.
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
    """What came of a run.

    ``mode`` is how it was done in the end, ``'full'`` or ``'diff'``; ``fallback`` says why a diff
    became a full swap. ``mirrored`` is the moment of the data, as ``mirroredAt()`` tells it.
    ``seconds`` has the phases ``read`` (SQL), ``convert``, ``stage``, ``swap``, and ``all``.
    ``warnings`` tells of rows and links that were left out, with examples.
    """

    mode: str
    mirrored: str
    dryRun: bool = False
    fallback: str = ''
    models: dict[str, ModelReport] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)

    def asDict(self) -> dict[str, Any]:
        """All of it as plain values, such as JSON can hold."""
        return asdict(self)

    def __str__(self) -> str:
        what = 'dry run, nothing written' if self.dryRun else f'{self.mode} swap'
        if self.mode == 'diff' and not self.dryRun:
            what = 'changes only'
        took = ', '.join(f'{phase} {spent:.2f} s' for phase, spent in self.seconds.items())
        lines = [f'Mirrored at {self.mirrored} ({what}): {took}']
        if self.fallback:
            lines.append(f'Not by changes: {self.fallback}')
        return '\n'.join([*lines, *map(_line, self.models.items()), *self.warnings])


def _line(item: tuple[str, ModelReport]) -> str:
    name, model = item
    parts = [f'{model.read:,} rows', f'{model.written:,} written']
    more = {'unchanged': model.unchanged, 'removed': model.removed, 'do not fit': model.bad}
    more |= {'skipped': model.skipped, 'dangling links': model.dangling}
    parts += [f'{count:,} {what}' for what, count in more.items() if count]
    return f'{name}: {", ".join(parts)}, {model.bytes:,} bytes'
