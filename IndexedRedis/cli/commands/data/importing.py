"""``import``: the objects of an export.

The rule: an error names the line that is wrong, and that line changes nothing.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, nullcontext
from enum import StrEnum
from itertools import islice
from shutil import copyfileobj
from tempfile import TemporaryFile
from typing import Annotated, Any, BinaryIO

import typer

from .... import resetChanged
from ....errors import ConflictError, PartitionLostError, TooManyChangesError, UsageError
from ...common import ModelTarget, Refused, Run
from ...exact import exact, unreadable
from ...lines import Line, Reader
from ...progress import Progress

__all__ = ('main',)

# Lines between two progress reports.
PROGRESS_LINES = 100
# Objects that one script adds: it blocks the server for a millisecond or two.
ADDED_OBJECTS = 25

Batch = list[tuple[Line, Any]]


class Mode(StrEnum):
    """What happens to the stored objects."""

    reset = 'reset'
    add = 'add'


def main(
    run: Run,
    target: ModelTarget,
    file: Annotated[
        str, typer.Argument(metavar='[FILE]', help='An export; - is standard input.')
    ] = '-',
    mode: Annotated[
        Mode, typer.Option('--mode', help='Replace the stored objects, or add to them.')
    ] = Mode.reset,
    new_pks: Annotated[
        bool,
        typer.Option('--new-pks', help='Give all objects new pks. Links to them do not follow.'),
    ] = False,
    keep_unreadable: Annotated[
        bool, typer.Option('--keep-unreadable', help='Accept values that their fields cannot read.')
    ] = False,
) -> None:
    """Store the objects of an export, with their pks, exactly as they were.

    --mode reset replaces all objects in one swap, or changes nothing. Equal objects stay as they
    are. If more than 1,000 stored objects must change, the swap blocks the server for about 8 ms
    for each 1,000 objects; not if their pks are free, or with --new-pks.

    --mode add stores the objects 25 at a time beside the stored ones, and does not block the
    server. Equal objects stay as they are. If another object has a pk, the command ends with
    status 1, and the objects that it stored before stay.
    """
    model = run.model(target)
    importer = Importer(model, new_pks, keep_unreadable)
    twice = mode is Mode.reset and not new_pks
    with _opened(file, twice) as lines, run.progress(model.__name__) as report:
        start = lines.tell() if twice else 0
        reader = Reader(lines, model)
        progress = _estimated(report, lines)
        for name in reader.lacking:
            run.log(f'{model.__name__}.{name} is not in the export; it gets its default')
        counts = importer.change(reader, progress) if twice else None
        if twice and counts is None:
            lines.seek(start)
            reader = Reader(lines, model)
        counts = counts or getattr(importer, mode.value)(reader, progress)
    summary = ', '.join(f'{count:,} {what}' for what, count in counts.items())
    run.print(f'{model.__name__}: {summary}')
    run.data({'model': model.__name__, 'mode': mode.value, **counts})


class _NoPkError(Exception):
    """A line has no pk."""


class Importer:
    """Stores the lines of an export.

    :param model: the model
    :param new_pks: whether all objects get new pks
    :param keep_unreadable: whether to accept values that their fields cannot read
    """

    def __init__(self, model: Any, new_pks: bool = False, keep_unreadable: bool = False) -> None:
        self._twin = exact(model)
        self._fields = {field.name: field for field in model.FIELDS}
        self._new_pks, self._keep_unreadable = new_pks, keep_unreadable

    def reset(self, lines: Iterable[Line], progress: Callable[[int], None]) -> dict[str, int]:
        """Replace all objects; return the counts to print."""
        return {'stored': len(self._twin.reset(self._objects(lines, progress)))}

    def change(
        self, lines: Iterable[Line], progress: Callable[[int], None]
    ) -> dict[str, int] | None:
        """Write the differences if there are few; otherwise change nothing and return None."""
        try:
            if not self._twin.objects.count():
                return None
        except PartitionLostError:  # a reset brings back what is lost
            return None
        objs = self._objects(lines, progress, need_pks=True)
        try:
            (counts,) = resetChanged([(self._twin, objs)], {self._twin: '_id'})
        except (TooManyChangesError, ConflictError, _NoPkError):
            return None
        stored = counts.inserted + counts.updated
        return {'stored': stored, 'unchanged': counts.unchanged, 'removed': counts.removed}

    def add(self, lines: Iterable[Line], progress: Callable[[int], None]) -> dict[str, int]:
        """Add to the stored objects; return the counts to print."""
        counts = {'stored': 0, 'unchanged': 0}
        rest = ((line, self._object(line)) for line in lines)
        while batch := list(islice(rest, ADDED_OBJECTS)):
            new = batch if self._new_pks else self._new_among(batch)
            if new:
                force = [False if self._new_pks else line.pk or False for line, _ in new]
                self._twin.saver.save([obj for _, obj in new], forceID=force)
            counts['stored'] += len(new)
            counts['unchanged'] += len(batch) - len(new)
            progress(sum(counts.values()))
        return counts

    def _new_among(self, batch: Batch) -> Batch:
        """Return the objects that are not stored.

        :raises Refused: if a stored object has the pk of a different one
        """
        pks = [line.pk for line, _ in batch if line.pk is not None]
        stored_by_pk: dict[int | None, Any] = dict(
            zip(pks, self._twin.objects.getMultiple(pks), strict=True)
        )
        if len(stored_by_pk) < len(pks):
            seen: set[int | None] = set()
            for line, _ in batch:
                _add_pk(line, seen)
        for line, obj in batch:
            stored = stored_by_pk.get(line.pk)
            if stored is not None and not _equal(stored, obj):
                raise Refused(
                    f'line {line.number}: another object has the pk {line.pk}. Nothing was stored '
                    f'of the {len(batch)} lines from line {batch[0][0].number} on.'
                )
        return [(line, obj) for line, obj in batch if stored_by_pk.get(line.pk) is None]

    def _objects(
        self, lines: Iterable[Line], progress: Callable[[int], None], need_pks: bool = False
    ) -> Iterator[Any]:
        done, seen = 0, set[int | None]()
        for done, line in enumerate(lines, 1):
            if self._new_pks:
                yield self._object(line)
            else:
                _add_pk(line, seen)
                if need_pks and line.pk is None:
                    raise _NoPkError
                yield self._object(line, line.pk)
            if done % PROGRESS_LINES == 0:
                progress(done)
        progress(done)

    def _object(self, line: Line, pk: int | None = None) -> Any:
        if not self._keep_unreadable:
            for name, stored in line.values.items():
                why = unreadable(self._fields[name], stored)
                if why:
                    raise UsageError(f'line {line.number}: {name} cannot be read: {why}.')
        return self._twin(**line.values, **({} if pk is None else {'_id': pk}))


def _add_pk(line: Line, seen: set[int | None]) -> None:
    """Add the pk of a line to those that earlier lines have.

    :raises UsageError: if an earlier line has it
    """
    if line.pk is None:
        return
    if line.pk in seen:
        raise UsageError(f'line {line.number}: an earlier line has the pk {line.pk} too.')
    seen.add(line.pk)


def _equal(stored: Any, obj: Any) -> bool:
    """Return whether two objects are stored as the same bytes."""
    one, other = (each.asDict(strKeys=True, forStorage=True) for each in (stored, obj))
    return bool(one == other)


def _estimated(report: Progress, file: BinaryIO) -> Callable[[int], None]:
    """Return a progress function that estimates the total from the size of the file."""
    size = os.fstat(file.fileno()).st_size if file.seekable() else 0

    def done(count: int) -> None:
        report('objects', count, count * size // max(file.tell(), 1) if size else None)

    return done


@contextmanager
def _opened(name: str, twice: bool) -> Iterator[BinaryIO]:
    """Open the file.

    :param twice: whether it must be readable a second time
    """
    with nullcontext(sys.stdin.buffer) if name == '-' else open(name, 'rb') as given:
        if not twice or given.seekable():
            yield given
            return
        with TemporaryFile() as file:
            copyfileobj(given, file)
            file.seek(0)
            yield file
