"""Rows that the rules leave out and take in again: links to them follow, along chains of links."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from IndexedRedis import IndexedRedisModel, IRField
from IndexedRedis.fields import IRForeignLinkField
from IndexedRedis.mirror import Mirror
from mirror.follow.conftest import Beside

pytestmark = pytest.mark.mirrors

tables = sa.MetaData()
shop = sa.Table('shop', tables, sa.Column('id', sa.Integer, primary_key=True))
shelf = sa.Table(
    'shelf', tables,
    sa.Column('id', sa.Integer, primary_key=True),
    sa.Column('shop_id', sa.Integer),  # may lead nowhere
    sa.Column('size', sa.String(10)),
    sa.Column('above', sa.Integer),
)  # fmt: skip
book = sa.Table(
    'book', tables,
    sa.Column('id', sa.Integer, primary_key=True),
    sa.Column('shelf_id', sa.ForeignKey('shelf.id')),
)  # fmt: skip


class Shop(IndexedRedisModel):
    FIELDS = [IRField('id', valueType=int)]
    INDEXED_FIELDS = ['id']
    KEY_NAME = 'LeftOutShop'


class Shelf(IndexedRedisModel):
    FIELDS = [
        IRField('id', valueType=int),
        IRForeignLinkField('shop', Shop),
        IRField('size', valueType=int),
        IRForeignLinkField('above', 'Shelf'),
    ]
    INDEXED_FIELDS = ['id']
    KEY_NAME = 'LeftOutShelf'


class Book(IndexedRedisModel):
    FIELDS = [IRField('id', valueType=int), IRForeignLinkField('shelf', Shelf)]
    INDEXED_FIELDS = ['id']
    KEY_NAME = 'LeftOutBook'


SELECTS = {
    Shop: shop,
    Shelf: sa.select(shelf.c.id, shelf.c.shop_id.label('shop'), shelf.c.size, shelf.c.above),
    Book: sa.select(book.c.id, book.c.shelf_id.label('shelf')),
}


def linked():
    """The shelf of each book, and the shelf above each shelf; None where a link is null."""
    books = {each.id: each.shelf for each in Book.objects.all()}
    shelves = {each.id: each.above for each in Shelf.objects.all()}
    found = {('book', key): to for key, to in books.items()}
    found |= {('shelf', key): to for key, to in shelves.items()}
    return {key: to.id if to else None for key, to in found.items()}


@pytest.fixture
def following(logged, watch_models):
    """What starts a follower of a shop with a chain of three shelves and three books."""
    with logged.begin() as connection:
        tables.create_all(connection)
        connection.execute(shop.insert(), [{'id': 1}, {'id': 2}])
        rows = [(10, 1, '5', None), (11, 2, '5', 10), (12, 1, '5', 11)]
        names = ('id', 'shop_id', 'size', 'above')
        connection.execute(shelf.insert(), [dict(zip(names, row, strict=True)) for row in rows])
        connection.execute(book.insert(), [{'id': n, 'shelf_id': n - 90} for n in range(100, 103)])
    watch_models(Shop, Shelf, Book)
    beside = Beside(logged)

    def start(**rules):
        mirror = Mirror(logged, SELECTS, name='left_out', allowEmpty=True, maxDrop=None, **rules)
        beside.start(mirror)
        beside.until(lambda: mirror.status() is not None)
        assert linked() == ALL
        return beside

    yield start
    beside.stop()
    beside.mirror.unfollow()


ALL = {
    ('book', 100): 10,
    ('book', 101): 11,
    ('book', 102): 12,
    ('shelf', 10): None,
    ('shelf', 11): 10,
    ('shelf', 12): 11,
}


def commit(following, statement):
    with following.engine.begin() as connection:
        connection.execute(statement)


def test_a_row_that_does_not_fit_any_more_and_fits_again(following):
    beside = following(dangling='null', skipBad=True)
    commit(beside, shelf.update().where(shelf.c.id == 11).values(size='wide'))
    without = {key: to for key, to in ALL.items() if key != ('shelf', 11)}
    without |= {('book', 101): None, ('shelf', 12): None}
    beside.until(lambda: linked() == without)
    commit(beside, shelf.update().where(shelf.c.id == 11).values(size='6'))
    beside.until(lambda: linked() == ALL)
    assert beside.mirror.status().swaps == 1


def test_a_row_that_is_skipped_takes_those_that_link_to_it_with_it(following):
    beside = following(dangling='skip')
    commit(beside, shop.delete().where(shop.c.id == 2))
    beside.until(lambda: linked() == {('book', 100): 10, ('shelf', 10): None})
    commit(beside, shop.insert().values(id=2))
    beside.until(lambda: linked() == ALL)
    assert beside.mirror.status().swaps == 1


def test_a_foreign_key_that_is_dropped_in_the_database_and_not_in_the_program(following):
    beside = following(dangling='null')
    with beside.engine.begin() as connection:
        (known,) = sa.inspect(connection).get_foreign_keys('book')
        kind = 'CONSTRAINT' if connection.dialect.name == 'postgresql' else 'FOREIGN KEY'
        connection.execute(sa.text(f'ALTER TABLE book DROP {kind} {known["name"]}'))
    commit(beside, shelf.delete().where(shelf.c.id == 12))
    without = {key: to for key, to in ALL.items() if key != ('shelf', 12)} | {('book', 102): None}
    beside.until(lambda: linked() == without)
    commit(beside, shelf.insert().values(id=12, shop_id=1, size='5', above=11))
    beside.until(lambda: linked() == ALL)
