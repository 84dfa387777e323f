"""Ask this library."""

from typing import Any

import redis

from ..subjects.library import model_of
from .rows import SIZE, START, bulks, line


class Models:
    """A model with a sorted field."""

    def __init__(self, connection: dict[str, Any]) -> None:
        texts = ('name', 'genre', 'shelf', 'artist')
        kinds = dict.fromkeys(texts, 'str') | {'price': 'int'}
        how = {'SORTED_FIELDS': ['price'], 'KEY_NAME': 'BenchItem'}
        self.model = model_of(connection, kinds, [*texts[1:]], **how)
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
