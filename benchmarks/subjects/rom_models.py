"""rom: it indexes numbers in sorted sets, and texts in sets, where equality is asked for."""

from collections.abc import Iterable
from typing import Any

import redis
import rom
from rom import util

from . import BaseSubject, Row


class Subject(BaseSubject):
    """Models and queries. Its session, which keeps objects, is emptied each time."""

    # It saves objects one by one, has no inequality, and its first() knows no order.
    cannot = frozenset(
        ('everything', 'save_all', 'replace_all', 'count_unequal', 'first', 'last', 'random')
    )
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

    def delete(self, filters: Row) -> None:
        self._query(filters).delete()
