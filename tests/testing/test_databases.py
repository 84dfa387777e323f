"""SQL servers for tests: what is missing is named, and one that does not start leaves nothing."""

from __future__ import annotations

import pytest

pytest.importorskip('sqlalchemy', reason='the databases need sqlalchemy')

from sqlalchemy import text

from IndexedRedis.errors import EmbeddedServerError
from IndexedRedis.testing import databases


@pytest.mark.parametrize('kind', databases.KINDS)
def test_what_is_missing_is_named(kind, monkeypatch):
    monkeypatch.setattr(databases, '_program', lambda name: None)
    monkeypatch.setattr(databases.importlib.util, 'find_spec', lambda name: None)
    programs = ', '.join(databases.PROGRAMS[kind])
    assert databases.missing(kind) == f'{programs}, the driver {databases.DRIVERS[kind]} not found'
    monkeypatch.setattr(databases.importlib.util, 'find_spec', lambda name: True)
    assert databases.missing(kind) == f'{programs} not found'
    monkeypatch.setattr(databases, '_program', lambda name: name)
    assert databases.missing(kind) == ''


@pytest.mark.parametrize('kind', databases.KINDS)
@pytest.mark.parametrize('program', ['false', 'true'], ids=['making files', 'the server'])
def test_a_server_that_does_not_start_leaves_nothing(kind, program, monkeypatch, tmp_path):
    pytest.importorskip(databases.DRIVERS[kind], reason=f'{kind} needs its driver')
    monkeypatch.setattr(databases, '_program', lambda name: f'/bin/{program}')
    monkeypatch.setattr(databases.os, 'getuid', lambda: 1)  # nobody else is needed
    monkeypatch.setattr(databases.tempfile, 'tempdir', str(tmp_path))
    with pytest.raises(EmbeddedServerError, match=r'failed|did not start'):
        databases.Database(kind)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.databases
@pytest.mark.parametrize('kind', databases.KINDS)
def test_a_database_is_empty_each_time(kind):
    if lacking := databases.missing(kind):
        pytest.skip(f'{kind} is not tested: {lacking}')
    with databases.Database(kind) as server:
        for _ in range(2):
            engine = databases.fresh(server, 'shop')
            with engine.begin() as connection:
                connection.execute(text('CREATE TABLE track (id INT)'))
            engine.dispose()
        folder = server.dir
        assert folder.exists()
    assert not folder.exists()
