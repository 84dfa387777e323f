"""The rows that are followed: ``indexedredis mirror benchmarks.subjects.followed:mirror``."""

import os

from sqlalchemy import Column, Engine, Integer, MetaData, Table, insert

from IndexedRedis import IndexedRedisModel, IRField
from IndexedRedis.mirror import Mirror

# Changes single rows, each in a transaction of its own.
SINGLES = {
    'postgresql': """
        CREATE PROCEDURE singles(value_ INTEGER, count_ INTEGER) LANGUAGE plpgsql AS $$ BEGIN
            FOR number IN REVERSE count_..1 LOOP
                UPDATE item SET value = value_ WHERE id = number; COMMIT;
            END LOOP;
        END $$""",
    'mariadb': """
        CREATE PROCEDURE singles(value_ INTEGER, count_ INTEGER)
            WHILE count_ > 0 DO
                UPDATE item SET value = value_ WHERE id = count_; COMMIT;
                SET count_ = count_ - 1;
            END WHILE""",
}

key = Column('id', Integer, primary_key=True, autoincrement=False)
item = Table('item', MetaData(), key, Column('value', Integer))


class Item(IndexedRedisModel):
    """A row."""

    FIELDS = [IRField('id', valueType=int), IRField('value', valueType=int)]
    INDEXED_FIELDS = ['id']
    KEY_NAME = 'FollowedItem'


mirror = Mirror(
    os.environ['BENCHMARKED_DATABASE'],
    {Item: item},
    maxChanges=int(os.environ.get('BENCHMARKED_CHANGES', '0')),
    name='benchmark',
)


def fill(engine: Engine, count: int) -> None:
    """Make the rows, and the procedure that changes them one by one."""
    with engine.begin() as connection:
        item.metadata.create_all(connection)
        rows = [{'id': number, 'value': 0} for number in range(1, count + 1)]
        connection.execute(insert(item), rows)
        connection.exec_driver_sql(SINGLES[engine.dialect.name])
