"""The database keeps its log until Redis has it safely: with ``ACKNOWLEDGED_BY``, on a replica."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from IndexedRedis._core.writes import acknowledging
from mirror.follow.shop import Artist, artist, in_redis

pytestmark = pytest.mark.mirrors


def confirmed(engine):
    """Up to where PostgreSQL may forget its log, and where the log ends."""
    with engine.connect() as connection:
        text = sa.text(
            'SELECT confirmed_flush_lsn - $$0/0$$::pg_lsn, '
            'pg_current_wal_lsn() - $$0/0$$::pg_lsn FROM pg_replication_slots '
            'WHERE database = current_database()'
        )
        return connection.execute(text).one()


def test_the_log_is_kept_until_a_replica_has_what_it_says(beside, monkeypatch, caplog):
    if beside.engine.dialect.name != 'postgresql':
        pytest.skip('this database does not keep its log for one reader')
    monkeypatch.setattr(acknowledging, 'WAIT_MS', 50)
    beside.start()
    beside.caught_up()
    replicas = vars(Artist._validated())
    monkeypatch.setitem(replicas, 'acknowledged_by', 1)  # and there is none
    with beside.engine.begin() as connection:
        connection.execute(artist.insert().values(id=3, name='new'))
    _, end = confirmed(beside.engine)
    beside.until(lambda: in_redis()['artists'].get(3) == 'new')
    beside.until(lambda: 'tries again after NotAcknowledgedError' in caplog.text)
    safe, _ = confirmed(beside.engine)
    assert safe < end
    monkeypatch.setitem(replicas, 'acknowledged_by', 0)
    beside.until(lambda: confirmed(beside.engine)[0] >= end)
    beside.caught_up()
    assert beside.mirror.status().swaps == 1
