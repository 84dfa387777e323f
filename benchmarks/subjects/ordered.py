"""Items in the order of their prices, asked of this library, of redis-py by hand, and of SQL.

Items are of one genre of eight, and by artists with two items each.
"""

import itertools
import random
from collections.abc import Iterator
from functools import partial
from typing import Any

import redis
from sqlalchemy import Engine, Index, String, insert, or_, select, text
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

from .by_hand import DATA, NEXT, PREFIX, index
from .library import model_of

SIZE = 20  # rows of a page
BULK = 10_000  # rows of one save
# The pk before the first one. All pks have as many digits, so they are ordered alike as texts, as
# in a sorted set, and as numbers, as in SQL.
START = 10_000_000
EVEN = {'genre': 'Genre 7'}  # an eighth of the rows, at all prices
DEAR = {'shelf': 'dear'}  # the dearest eighth, which an order by price meets last
SEED = 11
PRICES = f'{PREFIX}keys:sorted:price'
STEP = 10 * SIZE  # pks of one step of a walk by hand; an eighth of them match


def bulks(count: int) -> Iterator[list[dict[str, Any]]]:
    """Yield so many rows, some thousands at a time; every process makes the same."""
    chance = random.Random(SEED)

    def row(number: int) -> dict[str, Any]:
        price = chance.randrange(4 * count)  # some rows share one
        return {
            'name': f'Item {number}',
            'price': price,
            'genre': f'Genre {chance.randrange(8)}',
            'shelf': 'dear' if price >= 3.5 * count else 'other',
            'artist': f'Artist {chance.randrange(count // 2)}',
        }

    for start in range(0, count, BULK):
        yield [row(number) for number in range(start, min(start + BULK, count))]


def artists(count: int) -> list[str]:
    """Return so many values of ``artist``."""
    return [f'Artist {number}' for number in range(count)]


def line(pk: Any, name: str, price: Any) -> str:
    """Return the text that all subjects make of a row."""
    return f'{pk} {name} {price}'


class Models:
    """A model with a sorted field."""

    def __init__(self, connection: dict[str, Any]) -> None:
        texts = ('name', 'genre', 'shelf', 'artist')
        kinds = dict.fromkeys(texts, 'str') | {'price': 'int'}
        self.model = model_of(connection, kinds, [*texts[1:]], SORTED_FIELDS=['price'])
        self.client = redis.Redis(**connection)

    def fill(self, count: int) -> None:
        """Store the rows, which redis-py by hand reads too."""
        self.client.set(NEXT, START)
        for rows in bulks(count):
            self.model.saver.save([self.model(**row) for row in rows])

    def page(self, number: int = 1, **filters: str) -> list[str]:
        return _lines(self._ordered(**filters).page(number, size=SIZE))

    def place(self, number: int) -> Any:
        return self._ordered().page(number, size=SIZE).next

    def after(self, place: Any) -> list[str]:
        return _lines(self._ordered().page(size=SIZE, after=place))

    def among(self, artists: list[str]) -> list[str]:
        return _lines(self.model.objects.filter(artist__in=artists).all())

    def _ordered(self, **filters: str) -> Any:
        return self.model.objects.filter(**filters).orderBy('price')


def _lines(items: Any) -> list[str]:
    return [line(item._id, item.name, item.price) for item in items]


class ByHand:
    """redis-py and hiredis: sorted sets, sets and pipelines.

    Each question takes the way that suits its data: a walk along the order where matches are met
    soon, and a sorted intersection, during which all others wait, where they are met late.
    """

    def __init__(self, connection: dict[str, Any]) -> None:
        self.client: Any = redis.Redis(**connection, decode_responses=True)

    def fill(self, count: int) -> None:
        """Leave it to the library."""

    def page(self, number: int = 1, **filters: str) -> list[str]:
        if not filters:
            return self._lines(self.client.zrange(PRICES, (number - 1) * SIZE, number * SIZE - 1))
        (matches,) = itertools.starmap(index, filters.items())
        if filters == EVEN:
            return self._lines(self._walk(matches))
        pipe = self.client.pipeline()
        pipe.zinterstore('bench:found', {PRICES: 1, matches: 0})
        _, pks, _ = pipe.zrange('bench:found', 0, SIZE - 1).unlink('bench:found').execute()
        return self._lines(pks)

    def place(self, number: int) -> Any:
        return self.client.zrange(PRICES, number * SIZE - 1, number * SIZE - 1, withscores=True)[0]

    def after(self, place: Any) -> list[str]:
        """Read on from a price; as few rows share one, a second page's worth covers the ties."""
        last, price = place
        how = {'byscore': True, 'withscores': True, 'offset': 0, 'num': 2 * SIZE}
        found = self.client.zrange(PRICES, price, '+inf', **how)
        behind = [pk for pk, score in found if (score, pk) > (price, last)]
        return self._lines(behind[:SIZE])

    def among(self, artists: list[str]) -> list[str]:
        return self._lines(self.client.sunion([index('artist', artist) for artist in artists]))

    def _walk(self, matches: str) -> list[str]:
        found: list[str] = []
        for start in itertools.count(step=STEP):
            pks = self.client.zrange(PRICES, start, start + STEP - 1)
            flags = self.client.smismember(matches, pks) if pks else []
            found += itertools.compress(pks, flags)
            if len(found) >= SIZE or not pks:
                break
        return found[:SIZE]

    def _lines(self, pks: Any) -> list[str]:
        pipe = self.client.pipeline(transaction=False)
        for pk in pks:
            pipe.hmget(DATA + pk, 'name', 'price')
        return [line(pk, *row) for pk, row in zip(pks, pipe.execute(), strict=True)]


class Base(DeclarativeBase):
    """The table."""


class Item(Base):
    """An item. InnoDB adds the primary key to each index by itself."""

    __tablename__ = 'item'
    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    name: Mapped[str] = mapped_column(String(40))
    price: Mapped[int]
    genre: Mapped[str] = mapped_column(String(40))
    shelf: Mapped[str] = mapped_column(String(40))
    artist: Mapped[str] = mapped_column(String(40), index=True)
    __table_args__ = (
        Index('by_price', 'price', 'id'),
        Index('by_genre', 'genre', 'price', 'id'),
        Index('by_shelf', 'shelf', 'price', 'id'),
    )


class Sql:
    """SQLAlchemy, for mapped objects or for plain rows; an index for each question.

    There is one table; each question is one statement, and one round trip.
    """

    def __init__(self, engine: Engine, orm: bool) -> None:
        self.engine, self.orm = engine, orm
        self.items = select(*([Item] if orm else [Item.id, Item.name, Item.price]))
        self.pages = self.items.order_by(Item.price, Item.id).limit(SIZE)
        self.open = partial(Session, self.engine) if orm else self.engine.connect

    def fill(self, count: int) -> None:
        """Store the rows, which both ways read."""
        if self.orm:
            return
        Base.metadata.drop_all(self.engine)
        Base.metadata.create_all(self.engine)
        pks = itertools.count(START + 1)
        filling = self.engine.execution_options(isolation_level='SERIALIZABLE')
        for rows in bulks(count):
            with filling.begin() as connection:
                connection.execute(insert(Item), [{'id': next(pks), **row} for row in rows])
        with self.engine.connect() as connection:
            kind = 'TABLE ' if self.engine.dialect.name == 'mariadb' else ''
            connection.execute(text(f'ANALYZE {kind}item'))

    def page(self, number: int = 1, **filters: str) -> list[str]:
        return self._lines(self.pages.filter_by(**filters).offset((number - 1) * SIZE or None))

    def place(self, number: int) -> Any:
        last = select(Item.price, Item.id).order_by(Item.price, Item.id).offset(number * SIZE - 1)
        with self.engine.connect() as connection:
            return tuple(connection.execute(last.limit(1)).one())

    def after(self, place: Any) -> list[str]:
        """Read on from a price. MariaDB finds no index for ``(price, id) > (1, 2)``."""
        price, last = place
        behind = or_(Item.price > price, Item.id > last)
        return self._lines(self.pages.where(Item.price >= price, behind))

    def among(self, artists: list[str]) -> list[str]:
        return self._lines(self.items.where(Item.artist.in_(artists)))

    def _lines(self, statement: Any) -> list[str]:
        with self.open() as opened:
            found = opened.scalars(statement) if self.orm else opened.execute(statement)
            return [line(item.id, item.name, item.price) for item in found]
