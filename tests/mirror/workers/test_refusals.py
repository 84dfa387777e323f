"""What workers cannot do is refused before anything is read, with the remedy."""

from __future__ import annotations

import sys
from types import ModuleType

import pytest
from sqlalchemy import create_engine, select

import IndexedRedis as IR
from IndexedRedis import MirrorError, UsageError
from IndexedRedis.mirror import Mirror
from IndexedRedis.mirror.workers.blueprint import blueprint_of, built
from mirror.conftest import server
from mirror.workers import jobs
from mirror.workers.conftest import url_of
from mirror.workers.jobs import Page, Word, page, pages_of, word

# Nothing listens there: whoever reads it fails in another way.
NOWHERE = 'postgresql+psycopg://nobody@127.0.0.1:1/none'


@pytest.fixture
def plain(make_model):
    return make_model(['code'], indexed=['code'])


def test_a_model_without_partitions(plain):
    with pytest.raises(
        UsageError, match=rf'{plain.__name__}: workers=3 needs a partitioned model.*PARTITIONS = 48'
    ):
        Mirror(
            NOWHERE,
            {plain: 'SELECT 1 AS code', Word: select(word)},
            keys={plain: 'code', Word: 'code'},
            workers=3,
        )
    mirror = Mirror(NOWHERE, {plain: 'SELECT 1 AS code'}, keys={plain: 'code'})
    with pytest.raises(UsageError, match='needs a partitioned model'):
        mirror.run(workers=2)


@pytest.mark.parametrize('mode', ['diff', 'changed'])
def test_modes_that_write_changes(mode):
    rules = {'changed': {Word: 'n'}} if mode == 'changed' else {}
    with pytest.raises(UsageError, match=f"Word, Page: workers=3 replaces all data; mode='{mode}'"):
        pages_of(NOWHERE, mode=mode, **rules)
    with pytest.raises(UsageError, match="Use mode='full', or workers=1"):
        pages_of(NOWHERE, **rules).run(mode=mode)


def test_following():
    with pytest.raises(
        UsageError, match='Word, Page: the mirror has workers=3, and one process follows'
    ):
        pages_of(NOWHERE).follow()


def test_a_select_without_a_key():
    with pytest.raises(
        UsageError, match=r'Word: workers=3 cuts the rows by their key.*keys=\{Word'
    ):
        Mirror(NOWHERE, {Word: select(word)}, workers=3)


@pytest.mark.parametrize('workers', [0, -1, True, 1.5, '3'])
def test_a_number_that_is_none(workers):
    with pytest.raises(UsageError, match='workers is a number of processes from 1, not'):
        pages_of(NOWHERE, workers=workers)


def test_sqlite(tmp_path, redis_params):
    with pytest.raises(UsageError, match=r'the database is sqlite\. Load with workers=1'):
        pages_of(f'sqlite:///{tmp_path / "x"}').run()


def test_an_engine_that_no_module_has():
    with pytest.raises(UsageError, match=r'an Engine cannot be sent.*A URL in the place'):
        pages_of(create_engine(NOWHERE)).run()


def test_what_cannot_be_pickled():
    class Local(jobs.Rate):
        pass

    column = select(page.c.id, page.c.word, page.c.at, page.c.rate.cast(Local).label('rate'))
    mirror = Mirror(
        NOWHERE, {Page: column}, defaults={Page: ['words']}, keys={Page: 'id'}, workers=2
    )
    with pytest.raises(
        UsageError, match=r'the mirror cannot be sent to another process.*Give the mirror a name'
    ):
        mirror.run()


def test_connection_parameters_that_cannot_be_pickled(redis_params):
    IR.setDefaultRedisConnectionParams({**redis_params, 'retry_on_error': [lambda: None]})
    with pytest.raises(UsageError, match='default connection parameters of Redis cannot be sent'):
        pages_of(NOWHERE).run()


def test_a_process_that_may_start_none(monkeypatch):
    import multiprocessing

    monkeypatch.setitem(multiprocessing.current_process()._config, 'daemon', True)
    with pytest.raises(UsageError, match="under `if __name__ == '__main__':`"):
        pages_of(NOWHERE).run()


def test_a_module_with_another_mirror_in_the_worker(monkeypatch):
    module = ModuleType('jobs_of_test')
    module.shop = pages_of(create_engine(NOWHERE))
    monkeypatch.setitem(sys.modules, 'jobs_of_test', module)
    blueprint = blueprint_of(module.shop, 3)
    assert (blueprint.module, blueprint.name, blueprint.packed) == ('jobs_of_test', 'shop', b'')
    assert built(blueprint).sources is module.shop._sources
    module.shop = jobs.mirror_of(NOWHERE)
    with pytest.raises(UsageError, match='shop is another mirror there'):
        built(blueprint)


@pytest.mark.parametrize('sql', [server('postgresql')], indirect=True)
def test_what_a_worker_cannot_import(shop, tmp_path, monkeypatch):
    """A module that this process has made, and no file has."""
    module = ModuleType('jobs_of_test')
    module.engine = create_engine(url_of(shop))
    module.shop = jobs.mirror_of(module.engine, workers=2)
    monkeypatch.setitem(sys.modules, 'jobs_of_test', module)
    with pytest.raises(MirrorError, match=r"worker \d of 2 .*No module named 'jobs_of_test'"):
        module.shop.run()
    module.engine.dispose()
    assert jobs.Track.objects.count() == 0
