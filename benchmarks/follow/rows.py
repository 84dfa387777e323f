"""The rows that are followed; ``python -m IndexedRedis mirror benchmarks.follow.rows:mirror``."""

import os

from sqlalchemy import Column, Engine, Integer, MetaData, Table, insert, text

from IndexedRedis import IndexedRedisModel, IRField
from IndexedRedis.mirror import Mirror

DATABASE, MOST = 'BENCHMARKED_DATABASE', 'BENCHMARKED_CHANGES'
# With these settings a database keeps the log.
CONFIG = {
    'postgresql': {'wal_level': 'logical'},
    'mariadb': {'server-id': '1', 'log-bin': 'binlog', 'binlog-format': 'ROW'},
}
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

item = Table(
    'item',
    MetaData(),
    Column('id', Integer, primary_key=True, autoincrement=False),
    Column('value', Integer),
)


class Item(IndexedRedisModel):
    """A row."""

    FIELDS = [IRField('id', valueType=int), IRField('value', valueType=int)]
    INDEXED_FIELDS = ['id']
    KEY_NAME = 'FollowedItem'


def fill(engine: Engine, count: int) -> None:
    """Make the rows, and the procedure that changes them one by one."""
    with engine.begin() as connection:
        item.metadata.create_all(connection)
        rows = [{'id': number, 'value': 0} for number in range(1, count + 1)]
        connection.execute(insert(item), rows)
        connection.exec_driver_sql(SINGLES[engine.dialect.name])


def change(engine: Engine, statement: str, **values: int) -> None:
    """Run a statement, and commit."""
    once = engine.execution_options(isolation_level='AUTOCOMMIT')
    with once.connect() as connection:
        connection.execute(text(statement), values)


def __getattr__(name: str) -> Mirror:
    """Return the mirror of the database that the environment names."""
    if name != 'mirror':
        raise AttributeError(name)
    return Mirror(
        os.environ[DATABASE], {Item: item}, maxChanges=int(os.environ[MOST]), name='benchmark'
    )
