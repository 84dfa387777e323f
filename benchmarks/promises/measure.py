"""Measure the promises."""

from collections.abc import Iterator

from .. import machine
from ..results import US, Result
from ..run import Run
from ..running.processes import Process
from ..running.turns import compare, wait_and_total

WITHOUT = 'without it'


def promises(run: Run) -> Iterator[Result]:
    """Time each work with a promise and without it."""
    yield from compare('promises', _crew(run, 'promises'), run.wants)
    # A reader has to run while the server resets.
    machine.place(run.server, 'free')
    for result in compare('resets', _crew(run, 'resets'), run.wants):
        yield from wait_and_total(result)


def _crew(run: Run, name: str) -> list[Process]:
    def start() -> Iterator[Process]:
        for number, way in enumerate((US, WITHOUT)):
            how = {'connection': {**run.connection, 'db': number}, 'sizes': run.options.sizes}
            yield from run.start(way, 'promises.shop', keep=way == US, **how)

    return run.crew(name, start)
