"""Measure the promises."""

from collections.abc import Iterator

from .. import machine
from ..results import US, Result
from ..run import Run
from ..running.turns import compare, wait_and_total

WITHOUT = 'without it'


def promises(run: Run) -> Iterator[Result]:
    """Time each work with a promise and without it."""
    yield from compare(run, 'promises', run.crew('promises.shop', [US, WITHOUT]))
    # A reader has to run while the server resets.
    machine.place(run.server, 'free')
    run.dismiss()
    for result in compare(run, 'resets', run.crew('promises.shop', [US, WITHOUT])):
        yield from wait_and_total(result)
