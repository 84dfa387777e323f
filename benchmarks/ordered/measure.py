"""Measure the questions on more and more rows."""

from collections.abc import Iterator
from contextlib import ExitStack

from ..machine import come_first
from ..results import BEFORE, BY_HAND, DATABASES, US, Result
from ..run import Run
from ..running.databases import started, versions
from ..running.turns import compare, wait_and_total
from .works import ORM


def questions(run: Run) -> Iterator[Result]:
    """Compare the answers of all subjects, then time them."""
    with ExitStack() as stack:
        engines = started(run, stack, DATABASES)
        urls = {
            name + way: engine.url.render_as_string(hide_password=False)
            for name, engine in engines.items()
            for way in ('', ORM)
        }
        names = [*(each for each in (US, BEFORE, BY_HAND) if each in run.subjects), *urls]
        note = versions(engines)
        for count in run.sizes.ordered:
            crew = run.crew('ordered.works', names, urls=urls, count=count)
            for result in compare(run, 'ordered', crew):
                result.note, note = note, ''
                for name in urls:  # the longest command is one of Redis
                    result.longest.pop(name, None)
                yield result
        come_first(run.server)
        redis = [process for process in crew if process.name not in urls]
        for result in compare(run, 'waits', redis):
            yield next(wait_and_total(result))
        run.dismiss()
