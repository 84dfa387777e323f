"""Other object mappers, rom and walrus."""

from collections.abc import Iterable
from functools import reduce
from operator import and_
from typing import Any

import redis
import rom
import walrus
from rom import util

from . import BaseSubject, Row

# They save objects one by one.
LACKING = {'everything', 'save_all', 'replace_all', 'first', 'last', 'random', 'values', 'tally'}


class Rom(BaseSubject):
    """It indexes numbers in sorted sets, and texts in sets, where equality is asked for.

    Its session, which keeps objects, is emptied each time.
    """

    cannot = frozenset(LACKING | {'count_unequal'})  # its first() knows no order
    module = 'rom'

    def __init__(self, connection: dict[str, Any], data: Any) -> None:
        self.ints = {key for key, kind in data.kinds.items() if kind == 'int'}
        columns: dict[str, Any] = {'_conn': redis.Redis(**connection)}
        for key in data.kinds:
            how = {'index': True} if key in data.indexed else {}
            if how and key not in self.ints:
                how['keygen'] = rom.IDENTITY
            columns[key] = (rom.Integer if key in self.ints else rom.Text)(**how)
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
        for start in range(0, len(rows), 1000):
            super().fill(rows[start : start + 1000])
            util.session.rollback()

    def delete(self, filters: Row) -> None:
        self._query(filters).delete()


class Walrus(BaseSubject):
    """It has no nulls; a null text becomes ``''`` and a null number 0."""

    cannot = frozenset(LACKING | {'count', 'count_unequal'})  # it counts by loading objects
    keeps_nulls = False
    module = 'walrus'

    def __init__(self, connection: dict[str, Any], data: Any) -> None:
        columns = {'__database__': walrus.Walrus(**connection), 'pk': walrus.AutoIncrementField()}
        for key, kind in data.kinds.items():
            column = walrus.IntegerField if kind == 'int' else walrus.TextField
            columns[key] = column(index=key in data.indexed)
        self.model: Any = type('Bench', (walrus.Model,), columns)

    def _query(self, filters: Row) -> Any:
        return reduce(and_, (getattr(self.model, key) == value for key, value in filters.items()))

    def get(self, pk: int) -> Any:
        return self.model.load(pk)

    def select(self, filters: Row) -> Iterable[Any]:
        return list(self.model.query(self._query(filters)))

    def create(self, row: Row) -> None:
        self.model.create(**row)

    def delete(self, filters: Row) -> None:
        self.model.query_delete(self._query(filters))
