"""From SQL into Redis: read the rows, make objects, ``reset``.

The rule: a real cron script does this job in the same few lines.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from sqlalchemy import Connection, Select, func, select

from .. import IndexedRedisModel
from . import data
from .models import Album, Artist, Genre, Track

# The select that each model mirrors.
CATALOGUE: Mapping[type[IndexedRedisModel], Select[Any]] = {
    Artist: data.ARTISTS,
    Album: data.ALBUMS,
    Genre: data.GENRES,
    Track: data.TRACKS,
}


def count(connection: Connection, model: type[IndexedRedisModel]) -> int:
    """Return how many rows the select of a model gives."""
    rows = CATALOGUE[model].order_by(None).subquery()
    return connection.scalar(select(func.count()).select_from(rows)) or 0


def mirror(
    connection: Connection,
    model: type[IndexedRedisModel],
    edition: int = 1,
    advance: Callable[[], object] = lambda: None,
) -> int:
    """Replace all objects of a model with the rows of its select, in one swap.

    :param connection: to the SQL database
    :param model: a model of ``CATALOGUE``
    :param edition: the number of the data set, stored with every track
    :param advance: called after each row
    :returns: the number of objects
    """
    extra = {'edition': edition} if model is Track else {}
    objects = []
    for row in connection.execute(CATALOGUE[model]).mappings():
        objects.append(model(**row, **extra))
        advance()
    return len(model.reset(objects))
