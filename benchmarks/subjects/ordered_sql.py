"""Ask SQLAlchemy, with an index for each question: for mapped objects, or for plain rows."""

from __future__ import annotations

import itertools
from functools import partial
from typing import Any

from sqlalchemy import Index, String, create_engine, insert, or_, select, text
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

from .ordered import SIZE, START, bulks, line


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
    """One table; each question is one statement, and one round trip."""

    def __init__(self, url: str, orm: bool) -> None:
        how = {'isolation_level': 'AUTOCOMMIT', 'pool_reset_on_return': None}
        self.engine = create_engine(url, **how)
        self.orm = orm
        columns = [Item] if orm else [Item.id, Item.name, Item.price]
        self.items = select(*columns)
        self.pages = self.items.order_by(Item.price, Item.id).limit(SIZE)
        self.open = partial(Session, self.engine) if orm else self.engine.connect

    def fill(self, count: int) -> None:
        """Store the rows, which both ways read."""
        if self.orm:
            return
        Base.metadata.drop_all(self.engine)
        Base.metadata.create_all(self.engine)
        filling = create_engine(self.engine.url)
        pks = itertools.count(START + 1)
        for rows in bulks(count):
            with filling.begin() as connection:
                connection.execute(insert(Item), [{'id': next(pks), **row} for row in rows])
        filling.dispose()
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
