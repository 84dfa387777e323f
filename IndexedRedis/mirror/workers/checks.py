"""What workers need of the database and of the process, checked before anything is read."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Engine

from .blueprint import blueprint_of
from .moment import check_dialect
from .parallel import Workers
from .team import check_may_start

__all__ = ('workers_of',)


def workers_of(mirror: Any, workers: int) -> Workers:
    """Return what a run needs to have workers.

    :raises UsageError: if the database, this process or the mirror cannot have them
    """
    database = mirror._database
    dialect = database.dialect if isinstance(database, Engine) else database.get_dialect()
    check_dialect(dialect.name, workers)
    check_may_start(workers)
    return Workers(workers, blueprint_of(mirror, workers))
