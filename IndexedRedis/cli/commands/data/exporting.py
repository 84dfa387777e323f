"""``export``: the objects of a model as JSON lines.

The rule: an export is complete, with a last line that says so, or the status is not 0. Only a
complete export replaces a file, and it keeps the mode of that file.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, BinaryIO
from uuid import uuid4

import typer

from ... import lines
from ...common import CommandError, ModelTarget, Run
from ...exact import exact
from ...progress import Progress
from ...walk import walk_of

__all__ = ('main',)

ATTEMPTS = 3


def main(
    run: Run,
    target: ModelTarget,
    output: Annotated[
        str, typer.Option('--output', '-o', metavar='FILE', help='Where to; - is standard output.')
    ] = '-',
) -> None:
    """Write the objects of a model as JSON lines, exactly as they are stored.

    Each object is whole. The command replaces a file when the export is complete, not before, and
    keeps its mode; only you can read a new file. If a reset replaces the objects meanwhile, the
    command starts a file again, up to three times; on standard output and in a pipe it ends with
    status 2.

    With --json, and a file, the summary is JSON.
    """
    model, is_stream = run.model(target), _is_stream(output)
    attempts = 1 if is_stream else ATTEMPTS
    for attempt in range(attempts):
        shown = not (output == '-' and sys.stdout.isatty())
        with run.progress(model.__name__, shown) as progress, _opened(output) as file:
            count = _write(model, file, progress)
            file.complete = count is not None
        if count is not None:
            break
        if attempt == attempts - 1:
            raise CommandError(
                f'{model.__name__}: a reset replaced the objects while they were exported; what '
                'was written is not complete. Try again.'
            )
        run.log(f'{model.__name__}: a reset replaced the objects; once more')
    if is_stream:
        run.log(f'{model.__name__}: {count:,} objects')
    else:
        run.print(f'{model.__name__}: {count:,} objects in {output}')
        run.data({'model': model.__name__, 'objects': count, 'file': output})


def _write(model: Any, file: _Output, progress: Progress) -> int | None:
    """Write the export; return the number of objects, None if a reset replaced them meanwhile."""
    walk, twin, count = walk_of(model), exact(model), 0
    file.write(lines.header(model))
    for pks in walk.pages():
        objs = [obj for obj in twin.objects.getMultiple(pks) if obj is not None]
        if not objs and walk.replaced:
            return None
        file.write(b''.join(lines.line(obj.getPk(), obj.asDict(strKeys=True)) for obj in objs))
        count += len(objs)
        progress('objects', count, max(walk.total, count))
    if walk.replaced:
        return None
    file.write(lines.footer(count))
    return count


class _Output:
    """A file that is being written; :attr:`complete` says whether it may replace another."""

    def __init__(self, file: BinaryIO) -> None:
        self.write = file.write
        self.complete = False


def _is_stream(name: str) -> bool:
    """Return whether an output takes bytes once, such as standard output, or a named pipe."""
    return name == '-' or (os.path.exists(name) and not os.path.isfile(name))


@contextmanager
def _opened(name: str) -> Iterator[_Output]:
    """Open standard output, or a file that replaces another one when it is complete."""
    if name == '-':
        yield _Output(sys.stdout.buffer)
        sys.stdout.buffer.flush()
        return
    if _is_stream(name):  # before resolve(): /dev/stdout may lead to no name of a file
        with open(name, 'wb') as file:
            yield _Output(file)
        return
    path = Path(name).resolve()  # a link stays, and its target is replaced
    temporary = path.with_name(f'.{path.name}.{uuid4().hex}')  # beside it: it has to be renamed
    try:
        with open(temporary, 'xb', opener=_open_private) as file:
            output = _Output(file)
            yield output
            file.flush()
            os.fsync(file.fileno())
        if output.complete:
            if path.exists():
                temporary.chmod(path.stat().st_mode & 0o7777)
            temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def _open_private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)
