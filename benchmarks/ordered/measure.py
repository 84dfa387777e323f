"""Measure the questions on more and more rows."""

from collections.abc import Iterator

from ..machine import come_first
from ..results import BEFORE, BY_HAND, DATABASES, US, Result
from ..run import Run
from ..running.databases import started, urls_of, versions
from ..running.turns import compare, wait_and_total
from .works import ORM


def ordered(run: Run) -> Iterator[Result]:
    """Compare the answers of all subjects, then time them."""
    with started(run, DATABASES) as engines:
        urls = {name + way: url for name, url in urls_of(engines).items() for way in ('', ORM)}
        names = [*run.chosen(US, BEFORE, BY_HAND), *urls]
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
