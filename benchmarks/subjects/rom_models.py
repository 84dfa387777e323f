"""rom: it indexes numbers in sorted sets, and texts in sets, where equality is asked for."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import redis
import rom
from rom import util

from . import base
from .base import Row

NONE = 'rom has no such operation'


class Subject(base.Subject):
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
    module = 'rom'

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

    def _query(self, filters: Row) -> Any:
        util.session.rollback()
        ranges = {key: (value, value) for key, value in filters.items() if key in self.ints}
        return self.model.query.filter(**{**filters, **ranges})

    def get(self, pk: int) -> Any:
        util.session.rollback()
        return self.model.get(pk)

    def select(self, filters: Row) -> Iterable[Any]:
        return self._query(filters).all()

    def count(self, filters: Row) -> int:
        return self._query(filters).count()

    def create(self, row: Row) -> None:
        self.model(**row).save()

    def fill(self, rows: list[Row]) -> None:
        for number, row in enumerate(rows):
            self.create(row)
            if number % 1000 == 0:
                util.session.rollback()
        util.session.rollback()

    def update(self, obj: Any, name: str, value: Any) -> None:
        setattr(obj, name, value)
        obj.save()

    def delete(self, filters: Row) -> None:
        self._query(filters).delete()
