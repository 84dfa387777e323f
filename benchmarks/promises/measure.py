"""Measure each work with a promise and without it, in turns."""

from collections.abc import Iterator

from .. import machine
from ..results import US, Result
from ..run import Run
from ..running.turns import compare, wait_and_total

WITHOUT = 'without it'


def promises(run: Run) -> Iterator[Result]:
    """Time each work, then the reset beside a reader."""
    crew = run.crew('promises.works', [US, WITHOUT])
    yield from compare(run, 'promises', crew)
    # A reader has to run while the server resets.
    machine.place(run.server, 'free', [process.pid for process in crew])
    for result in compare(run, 'resets', crew):
        yield from wait_and_total(result)
