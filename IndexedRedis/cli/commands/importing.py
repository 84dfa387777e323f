"""``import``: the objects of an export.

The rule: a line that is wrong is named, and what it would have changed is unchanged.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from enum import Enum
from itertools import islice
from pathlib import Path
from shutil import copyfileobj
from tempfile import TemporaryFile
from typing import Annotated, Any, BinaryIO

import typer

from ... import resetChanged
from ...errors import ConflictError, TooManyChangesError, UsageError
from ..common import Refused, Run, command
from ..exact import exact, unreadable
from ..lines import Line, Reader
from ..progress import Progress

__all__ = ('register',)

# Lines between two looks at the progress.
PAGE = 100
# Objects that one script adds to those stored: it holds up the server for a millisecond or two.
ADDED = 25

Page = list[tuple[Line, Any]]


class Mode(str, Enum):
    """What becomes of the objects that are there."""

    reset = 'reset'
    add = 'add'


def register(app: typer.Typer) -> None:
    """Add the command."""
    command(app, 'import')(import_)


def import_(
    run: Run,
    target: Annotated[str, typer.Argument(metavar='MODEL', help='package.module:Name')],
    file: Annotated[
        str, typer.Argument(metavar='[FILE]', help='An export; - is standard input.')
    ] = '-',
    mode: Annotated[
        Mode, typer.Option('--mode', help='Replace what is stored, or add to it.')
    ] = Mode.reset,
    new_pks: Annotated[
        bool,
        typer.Option('--new-pks', help='Give all objects new pks. Links to them are not adapted.'),
    ] = False,
    keep_unreadable: Annotated[
        bool, typer.Option('--keep-unreadable', help='Take values that their fields cannot read.')
    ] = False,
) -> None:
    """Store the objects of an export, with their pks, exactly as they were.

    --mode reset replaces all objects in one moment, or changes nothing. Objects that are there
    already and equal are left as they are. If more than 1,000 of those that are there have to
    change, the server is held up for that moment, about 8 ms for each 1,000 objects; not where
    their pks are not in use, or with --new-pks.

    --mode add stores them 100 at a time beside what is there; the server is not held up. Objects
    that are there already and equal are left as they are; if a pk is taken by another object, that
    is refused with status 1, and what was stored before it remains.
    """
    model = run.model(target)
    importer = Importer(model, new_pks, keep_unreadable)
    twice = mode is Mode.reset and not new_pks
    with _opened(file, twice) as lines, run.progress(model.__name__) as tell:
        start = lines.tell() if twice else 0
        reader = Reader(lines, model)
        progress = _estimated(tell, lines)
        for name in reader.lacking:
            run.log(f'{model.__name__}.{name} is not in the export; it gets its default')
        counts = importer.change(reader, progress) if twice else None
        if twice and counts is None:
            lines.seek(start)
            reader = Reader(lines, model)
        counts = counts or getattr(importer, mode.value)(reader, progress)
    told = ', '.join(f'{count:,} {what}' for what, count in counts.items())
    run.print(f'{model.__name__}: {told}')
    run.data({'model': model.__name__, 'mode': mode.value, **counts})


class _NoPkError(Exception):
    """A line has no pk."""


class Importer:
    """Stores lines of an export.

    :param model: the model
    :param new_pks: give all objects new pks
    :param keep_unreadable: take values that their fields cannot read
    """

    def __init__(self, model: Any, new_pks: bool = False, keep_unreadable: bool = False) -> None:
        self._twin = exact(model)
        self._fields = {field.name: field for field in model.FIELDS}
        self._new_pks, self._keep_unreadable = new_pks, keep_unreadable

    def reset(self, lines: Iterable[Line], progress: Callable[[int], None]) -> dict[str, int]:
        """Replace all objects; returns what was done."""
        return {'stored': len(self._twin.reset(self._objects(lines, progress)))}

    def change(
        self, lines: Iterable[Line], progress: Callable[[int], None]
    ) -> dict[str, int] | None:
        """As :meth:`reset`, if few objects have to change; else None, and nothing was changed."""
        if not self._twin.objects.count():
            return None
        objs = self._objects(lines, progress, careful=True)
        try:
            (counts,) = resetChanged([(self._twin, objs)], {self._twin: '_id'})
        except (TooManyChangesError, ConflictError, _NoPkError):
            return None
        stored = counts.inserted + counts.updated
        return {'stored': stored, 'unchanged': counts.unchanged, 'removed': counts.removed}

    def add(self, lines: Iterable[Line], progress: Callable[[int], None]) -> dict[str, int]:
        """Add to what is stored; returns what was done."""
        counts = {'stored': 0, 'unchanged': 0}
        rest = ((line, self._object(line)) for line in lines)
        while page := list(islice(rest, ADDED)):
            new = page if self._new_pks else self._new_among(page)
            if new:
                force = [False if self._new_pks else line.pk or False for line, _ in new]
                self._twin.saver.save([obj for _, obj in new], forceID=force)
            counts['stored'] += len(new)
            counts['unchanged'] += len(page) - len(new)
            progress(sum(counts.values()))
        return counts

    def _new_among(self, page: Page) -> Page:
        """Those that are not stored.

        :raises Refused: if the pk of one is that of another object
        """
        pks = [line.pk for line, _ in page if line.pk is not None]
        there: dict[int | None, Any] = dict(
            zip(pks, self._twin.objects.getMultiple(pks), strict=True)
        )
        if len(there) < len(pks):
            seen: set[int | None] = set()
            for line, _ in page:
                _note_pk(line, seen)
        for line, obj in page:
            stored = there.get(line.pk)
            if stored is not None and not _equal(stored, obj):
                raise Refused(
                    f'line {line.number}: pk {line.pk} is that of another object. Nothing was '
                    f'stored of the {len(page)} lines from line {page[0][0].number} on.'
                )
        return [(line, obj) for line, obj in page if there.get(line.pk) is None]

    def _objects(
        self, lines: Iterable[Line], progress: Callable[[int], None], careful: bool = False
    ) -> Iterator[Any]:
        done, seen = 0, set[int | None]()
        for done, line in enumerate(lines, 1):
            if self._new_pks:
                yield self._object(line)
            else:
                _note_pk(line, seen)
                if careful and line.pk is None:
                    raise _NoPkError
                yield self._object(line, line.pk)
            if done % PAGE == 0:
                progress(done)
        progress(done)

    def _object(self, line: Line, pk: int | None = None) -> Any:
        if not self._keep_unreadable:
            for name, stored in line.values.items():
                why = unreadable(self._fields[name], stored)
                if why:
                    raise UsageError(f'line {line.number}: {name} cannot be read: {why}.')
        return self._twin(**line.values, **({} if pk is None else {'_id': pk}))


def _note_pk(line: Line, seen: set[int | None]) -> None:
    if line.pk is None:
        return
    if line.pk in seen:
        raise UsageError(f'line {line.number}: pk {line.pk} has been there already.')
    seen.add(line.pk)


def _equal(stored: Any, obj: Any) -> bool:
    """Whether two objects are stored as the same bytes."""
    one, other = (each.asDict(strKeys=True, forStorage=True) for each in (stored, obj))
    return bool(one == other)


def _estimated(tell: Progress, file: BinaryIO) -> Callable[[int], None]:
    """Tell how far it is; of a file, its size and what is read of it tell of how much."""
    size = os.fstat(file.fileno()).st_size if file.seekable() else 0

    def done(count: int) -> None:
        tell('objects', count, count * size // max(file.tell(), 1) if size else None)

    return done


@contextmanager
def _opened(name: str, twice: bool) -> Iterator[BinaryIO]:
    """The file; one that can be read a second time, if asked for."""
    if name == '-' and not (twice and not sys.stdin.buffer.seekable()):
        yield sys.stdin.buffer
        return
    if name == '-':
        with TemporaryFile() as file:
            copyfileobj(sys.stdin.buffer, file)
            file.seek(0)
            yield file
        return
    with Path(name).open('rb') as file:
        yield file
