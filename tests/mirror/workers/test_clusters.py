"""Several processes load models whose partitions lie on several nodes."""

from __future__ import annotations

import pytest
from sqlalchemy import update

import IndexedRedis as IR
from IndexedRedis import IndexedRedisError
from mirror.conftest import server
from mirror.workers import jobs
from mirror.workers.conftest import check, url_of, workers
from mirror.workers.jobs import Page, Word, page, pages_of

pytestmark = [
    pytest.mark.faults,
    pytest.mark.parametrize('sql', [server('postgresql')], indirect=True),
]


@pytest.fixture
def filled(sql, cluster):
    """Pages and words in SQL; the cluster is the library's default."""
    with sql.begin() as connection:
        jobs.fill(connection)
    IR.setDefaultRedisConnectionParams(cluster.params)
    return sql


def rates():
    found = [obj.rate for obj in Page.objects.all()]
    assert len(found) == jobs.ROWS
    return {*found}


def test_a_node_dies_meanwhile(filled, cluster):
    """Either all new data is live, or none."""
    assert pages_of(url_of(filled)).run().models['Page'].written == jobs.ROWS
    assert rates() == {1}
    with filled.begin() as connection:
        connection.execute(update(page).values(rate=2))
    killed = []

    def kill(name, rows, total):
        if name == 'Page' and rows and not killed:
            home = cluster.primary_of('{Loaded}')
            killed.extend(node for node in cluster.primaries if node is not home)
            killed[0].kill()

    expected = {2}
    try:
        pages_of(url_of(filled)).run(progress=kill)
    except IndexedRedisError as error:
        assert 'worker' in str(error)
        expected = {1}
    assert killed
    assert rates() == expected
    assert workers() == []
    cluster.heal()  # new processes ask the node that was killed where the others are
    pages_of(url_of(filled)).run()
    assert rates() == {2}
    check(Page, Word)
