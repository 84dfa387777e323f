"""Ask this library."""

from typing import Any

import redis

from IndexedRedis import IndexedRedisModel, IRField

from .rows import SIZE, START, bulks, line


class Models:
    """A model with a sorted field."""

    def __init__(self, connection: dict[str, Any]) -> None:
        class Item(IndexedRedisModel):
            FIELDS = [
                *map(IRField, ('name', 'genre', 'shelf', 'artist')),
                IRField('price', valueType=int),
            ]
            INDEXED_FIELDS = ['genre', 'shelf', 'artist']
            SORTED_FIELDS = ['price']
            KEY_NAME = 'BenchItem'
            REDIS_CONNECTION_PARAMS = connection

        self.model: Any = Item
        self.connection = connection

    def fill(self, count: int) -> None:
        """Store the rows, which redis-py by hand reads too."""
        with redis.Redis(**self.connection) as client:
            client.set('_ir_|BenchItem:next', START)
        for rows in bulks(count):
            self.model.saver.save([self.model(**row) for row in rows])

    def first(self, **filters: str) -> list[str]:
        return lines(self.model.objects.filter(**filters).orderBy('price').page(size=SIZE))

    def place(self, number: int) -> Any:
        return self.model.objects.orderBy('price').page(number, size=SIZE).next

    def after(self, place: Any) -> list[str]:
        return lines(self.model.objects.orderBy('price').page(size=SIZE, after=place))

    def number(self, number: int) -> list[str]:
        return lines(self.model.objects.orderBy('price').page(number, size=SIZE))

    def among(self, artists: list[str]) -> list[str]:
        return lines(self.model.objects.filter(artist__in=artists).all())


def lines(items: Any) -> list[str]:
    """Return what is shown of items."""
    return [line(item._id, item.name, item.price) for item in items]
