"""rom: numbers are indexed in sorted sets, texts in sets, where equality is asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from operator import attrgetter
from typing import Any

import redis
import rom
from rom import util

__all__ = ('Subject',)

NONE = 'rom has no such operation'


class Subject:
    """Models and queries. Its session, which keeps objects, is emptied each time."""

    cannot = {
        'everything': 'not asked of it',
        'save_all': 'rom saves objects one by one',
        'replace_all': NONE,
        'count_unequal': 'rom has no inequality',
        'first': "rom's first() is that of no order",
        'last': NONE,
        'random': NONE,
    }
    keeps_nulls = True

    def __init__(self, name: str, connection: dict[str, Any], data: Any) -> None:
        columns: dict[str, Any] = {'_conn': redis.Redis(**connection)}
        for key, kind in data.kinds.items():
            index: dict[str, Any] = {'index': True} if key in data.indexed else {}
            if kind == 'int':
                columns[key] = rom.Integer(**index)
            else:
                columns[key] = rom.Text(**index, **({'keygen': rom.IDENTITY} if index else {}))
        self.ints = {key for key, kind in data.kinds.items() if kind == 'int'}
        self.model: Any = type(f'Bench{connection["db"]}', (rom.Model,), columns)

    def reader(self, names: list[str]) -> Callable[[Any], tuple[Any, ...]]:
        """What reads these fields of an object."""
        return attrgetter(*names)

    def _query(self, filters: dict[str, Any]) -> Any:
        util.session.rollback()
        ranges = {key: (value, value) for key, value in filters.items() if key in self.ints}
        return self.model.query.filter(**{**filters, **ranges})

    def given(self, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Rows as this subject takes them: None is its null."""
        return rows

    def get(self, pk: int) -> Any:
        util.session.rollback()
        return self.model.get(pk)

    def select(self, filters: dict[str, Any]) -> Iterable[Any]:
        return self._query(filters).all()

    def count(self, filters: dict[str, Any]) -> int:
        return self._query(filters).count()

    def create(self, row: dict[str, Any]) -> None:
        self.model(**row).save()

    def fill(self, rows: list[dict[str, Any]]) -> None:
        """Store all rows, whatever it takes."""
        for number, row in enumerate(rows):
            self.create(row)
            if number % 1000 == 0:
                util.session.rollback()
        util.session.rollback()

    def update(self, found: Any, name: str, value: Any) -> None:
        setattr(found, name, value)
        found.save()

    def delete(self, filters: dict[str, Any]) -> None:
        self._query(filters).delete()
