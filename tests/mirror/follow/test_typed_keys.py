"""Keys that SQLAlchemy reads as something else than the driver does."""

from __future__ import annotations

import uuid

import pytest
import sqlalchemy as sa

from IndexedRedis import IndexedRedisModel, IRField, irNull
from IndexedRedis.fields import IRForeignLinkField
from IndexedRedis.mirror import Mirror
from mirror.follow.conftest import Beside

pytestmark = pytest.mark.mirrors
ONE, TWO = uuid.UUID(int=1), uuid.UUID(int=2)


class Hexadecimal(sa.types.TypeDecorator):
    """A UUID that is stored as a text."""

    impl, cache_ok = sa.String(32), True

    def process_bind_param(self, value, dialect):
        return value.hex

    def process_result_value(self, value, dialect):
        return None if value is None else uuid.UUID(value)


tables = sa.MetaData()
basket = sa.Table(
    'basket', tables,
    sa.Column('id', Hexadecimal, primary_key=True),
    sa.Column('name', sa.String(20)),
)  # fmt: skip
item = sa.Table(
    'item', tables,
    sa.Column('price', sa.Numeric(10, 2, asdecimal=False), primary_key=True),
    sa.Column('basket', sa.ForeignKey('basket.id')),
)  # fmt: skip


class Basket(IndexedRedisModel):
    FIELDS = [IRField('id'), IRField('name')]
    INDEXED_FIELDS = ['id']
    KEY_NAME = 'TypedBasket'


class Item(IndexedRedisModel):
    FIELDS = [IRField('price'), IRForeignLinkField('basket', Basket), IRField('name')]
    INDEXED_FIELDS = ['price']
    KEY_NAME = 'TypedItem'


JOINED = sa.select(item, basket.c.name).join(basket)


def stored():
    baskets = {uuid.UUID(each.id): each.name for each in Basket.objects.all()}
    return baskets, {float(each.price): each.name for each in Item.objects.all()}


def test_rows_come_change_and_go(logged, watch_models):
    with logged.begin() as connection:
        tables.create_all(connection)
    watch_models(Basket, Item)
    mirror = Mirror(
        logged,
        {Basket: basket, Item: JOINED},
        keys={Item: 'price'},
        name='typed',
        allowEmpty=True,
    )
    following = Beside(logged).start(mirror)

    def commit(*statements):
        with logged.begin() as connection:
            for statement in statements:
                connection.execute(statement)

    try:
        following.until(lambda: mirror.status() is not None)
        commit(
            basket.insert().values(id=ONE, name='one'),
            basket.insert().values(id=TWO, name='two'),
            item.insert().values(price=1.1, basket=ONE),
            item.insert().values(price=2, basket=TWO),
        )
        following.until(lambda: stored() == ({ONE: 'one', TWO: 'two'}, {1.1: 'one', 2: 'two'}))
        commit(
            basket.update().where(basket.c.id == ONE).values(name='new'),
            item.delete().where(item.c.basket == TWO),
            basket.delete().where(basket.c.id == TWO),
        )
        following.until(lambda: stored() == ({ONE: 'new'}, {1.1: 'new'}))
        assert mirror.status().swaps == 1
    finally:
        following.stop()
        mirror.unfollow()


padded = sa.MetaData()
country = sa.Table(
    'country', padded,
    sa.Column('code', sa.CHAR(5), primary_key=True),
    sa.Column('name', sa.String(20)),
)  # fmt: skip
city = sa.Table(
    'city', padded,
    sa.Column('id', sa.Integer, primary_key=True),
    sa.Column('country', sa.String(5)),  # without the spaces that PostgreSQL gives a char
)  # fmt: skip


class Country(IndexedRedisModel):
    FIELDS = [IRField('code'), IRField('name')]
    INDEXED_FIELDS = ['code']
    KEY_NAME = 'PaddedCountry'


class City(IndexedRedisModel):
    FIELDS = [IRField('id', valueType=int), IRForeignLinkField('country', Country), IRField('name')]
    INDEXED_FIELDS = ['id']
    KEY_NAME = 'PaddedCity'


def test_a_char_leads_to_a_varchar_without_its_spaces(logged, watch_models):
    joined = sa.select(city, country.c.name).outerjoin(country, country.c.code == city.c.country)
    with logged.begin() as connection:
        padded.create_all(connection)
        connection.execute(city.insert().values(id=1, country='at'))
        if logged.dialect.name == 'postgresql':
            connection.exec_driver_sql('ALTER TABLE city REPLICA IDENTITY FULL')
    watch_models(Country, City)
    how = {'keys': {City: 'id'}, 'name': 'padded', 'allowEmpty': True, 'dangling': 'null'}
    mirror = Mirror(logged, {Country: country, City: joined}, **how)
    following = Beside(logged).start(mirror)

    def city_in(name):
        (found,) = City.objects.all()
        named = None if found.name is irNull else found.name
        return named == name and (found.country.name if found.country else None) == name

    try:
        following.until(lambda: mirror.status() is not None)
        for statement, name in (
            (country.insert().values(code='at', name='Austria'), 'Austria'),
            (country.update().values(name='Österreich'), 'Österreich'),
            (country.delete(), None),
        ):
            with logged.begin() as connection:
                connection.execute(statement)
            following.until(lambda wanted=name: city_in(wanted))
    finally:
        following.stop()
        mirror.unfollow()


def test_a_row_whose_key_its_field_cannot_hold_is_left_out(logged, watch_models):
    """Also where the select does not return it: the log has its key nevertheless."""

    class Part(IndexedRedisModel):
        FIELDS = [IRField('code', valueType=int), IRField('kind')]
        INDEXED_FIELDS = ['code']
        KEY_NAME = 'TypedPart'

    metadata = sa.MetaData()
    columns = (sa.Column('code', sa.String(9), primary_key=True), sa.Column('kind', sa.String(9)))
    part = sa.Table('part', metadata, *columns)
    with logged.begin() as connection:
        metadata.create_all(connection)
    watch_models(Part)
    mirror = Mirror(
        logged, {Part: sa.select(part).where(part.c.kind != 'text')}, keys={Part: 'code'},
        name='parts', allowEmpty=True, skipBad=True,
    )  # fmt: skip
    following = Beside(logged).start(mirror)
    try:
        following.until(lambda: mirror.status() is not None)
        for code, kind in (('abc', 'text'), ('abd', 'number'), ('7', 'number')):
            with logged.begin() as connection:
                connection.execute(part.insert().values(code=code, kind=kind))
        following.until(lambda: [each.code for each in Part.objects.all()] == [7])
    finally:
        following.stop()
        mirror.unfollow()
