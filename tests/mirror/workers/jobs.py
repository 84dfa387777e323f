"""What the workers of the tests import: partitioned models, and mirrors of them."""

from __future__ import annotations

import datetime
import os
from typing import Any

from sqlalchemy import (
    Column,
    DateTime,
    Integer,
    MetaData,
    String,
    Table,
    TypeDecorator,
    create_engine,
    insert,
    select,
)

from IndexedRedis import IndexedRedisModel, IRField
from IndexedRedis.fields import IRForeignLinkField, IRForeignMultiLinkField
from IndexedRedis.mirror import Mirror
from mirror import catalogue

#: the URL of the database of `shop`
URL = 'MIRROR_WORKERS_URL'
#: the models of the catalogue, with partitions, and their tables
TABLES: dict[Any, Any] = {}
ROWS = 4000


class Rate(TypeDecorator[int]):
    """A column that cannot be read where it is 13."""

    impl, cache_ok = Integer, True

    def process_result_value(self, value: Any, dialect: Any) -> Any:
        if value == 13:
            raise RuntimeError('there is no rate 13')
        return value


metadata = MetaData()
word = Table('word', metadata, Column('code', String(50)), Column('n', Integer))
page = Table(
    'page',
    metadata,
    Column('id', Integer),
    Column('word', String(50)),
    Column('rate', Rate),
    Column('at', DateTime),
)
page_word = Table('page_word', metadata, Column('page', Integer), Column('word', String(50)))


class Word(IndexedRedisModel):
    """A model whose key is a text."""

    KEY_NAME = '{Loaded}Word'
    PARTITIONS = 6
    code: IRField[str] = IRField(indexed=True)
    n: IRField[int] = IRField(valueType=int)


class Page(IndexedRedisModel):
    """A model with links, one of them from a join table."""

    KEY_NAME = '{Loaded}Page'
    PARTITIONS = 6
    id: IRField[int] = IRField(valueType=int, indexed=True)
    word: IRForeignLinkField[Word] = IRForeignLinkField(Word)
    rate: IRField[int] = IRField(valueType=int)
    at: IRField[datetime.datetime] = IRField(valueType=datetime.datetime)
    words: IRForeignMultiLinkField[Word] = IRForeignMultiLinkField(Word)


def _partitioned(model: Any) -> Any:
    """A model of the catalogue with partitions; its links lead to such models."""
    fields = [_linked(field) for field in model.FIELDS]
    body = {'FIELDS': fields, 'INDEXED_FIELDS': [*model.INDEXED_FIELDS], 'PARTITIONS': 4}
    body |= {'KEY_NAME': f'{{Loaded}}{model.KEY_NAME}', '__module__': __name__}
    return type(IndexedRedisModel)(model.__name__, (IndexedRedisModel,), body)


def _linked(field: Any) -> Any:
    if not isinstance(field, IRForeignLinkField):
        return field
    name = field.foreignModel.__name__
    return IRForeignLinkField(str(field), globals().get(name, name))


for each in (
    catalogue.Artist,
    catalogue.Album,
    catalogue.Genre,
    catalogue.MediaType,
    catalogue.Track,
    catalogue.Employee,
):
    globals()[each.__name__] = _partitioned(each)
    TABLES[globals()[each.__name__]] = catalogue.TABLES[each]


def mirror_of(url: Any, **rules: Any) -> Mirror:
    """A mirror of the catalogue."""
    return Mirror(url, {model: select(table) for model, table in TABLES.items()}, **rules)


def pages_of(url: Any, **rules: Any) -> Mirror:
    """A mirror of pages and words."""
    rules = {'workers': 3, 'keys': {Word: 'code', Page: 'id'}, **rules}
    links = {(Page, 'words'): select(page_word.c.page, page_word.c.word)}
    return Mirror(url, {Page: select(page), Word: select(word)}, links=links, **rules)


def fill(connection: Any) -> None:
    """Make the tables of pages and words."""
    metadata.create_all(connection)
    connection.execute(insert(word), [{'code': f'w{n}', 'n': n} for n in range(ROWS)])
    at = datetime.datetime(2020, 1, 1)
    pages = [{'id': n, 'word': f'w{ROWS - 1 - n}', 'rate': 1, 'at': at} for n in range(ROWS)]
    connection.execute(insert(page), pages)
    pairs = [{'page': n, 'word': f'w{(n * k) % ROWS}'} for n in range(0, ROWS, 2) for k in (3, 7)]
    connection.execute(insert(page_word), pairs)


if URL in os.environ:
    shop = mirror_of(create_engine(os.environ[URL]))
