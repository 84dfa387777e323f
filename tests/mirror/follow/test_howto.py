"""The how-to page. The rule: its file is made as it says, and its code runs as shown."""

from __future__ import annotations

import doctest
import os
import re
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
from faults.writers.workers import wait_until
from sqlalchemy import create_engine

from IndexedRedis.mirror.follow.mariadb import MariadbSource
from IndexedRedis.mirror.follow.postgres import PostgresSource
from IndexedRedis.testing.databases import fresh
from mirror.conftest import running_server, server

pytestmark = pytest.mark.programs

PAGE = Path(__file__).parents[3] / 'docs' / 'howto' / 'follow.rst'


@pytest.fixture(params=[server('postgresql')])
def database(request, tmp_path, monkeypatch, redis_params, running):
    """An empty database, and the file that the page shows in the working directory."""
    (code,) = re.findall(r'\.\. code-block:: python\n\n((?:   .*\n|\n)+)', PAGE.read_text('utf-8'))
    (tmp_path / 'shop_mirror.py').write_text(textwrap.dedent(code))
    engine = fresh(running_server(running, request.param), 'howto')
    monkeypatch.setenv('DATABASE_URL', engine.url.render_as_string(hide_password=False))
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    yield engine
    engine.dispose()
    sys.modules.pop('shop_mirror', None)


def test_the_page_runs_as_shown(database, watch_models):
    found = doctest.testfile(str(PAGE), module_relative=False)
    assert found.attempted > 20
    assert found.failed == 0
    from shop_mirror import Album, Artist

    watch_models(Album, Artist)


def test_the_commands_of_the_page(database, redis_params, raw):
    pytest.importorskip('IndexedRedis.cli.common')
    from shop_mirror import album, artist, tables

    with database.begin() as connection:
        tables.create_all(connection)
        connection.execute(artist.insert(), [{'id': 1}])
        connection.execute(album.insert(), [{'id': 10, 'artist_id': 1}])
    text = PAGE.read_text('utf-8')
    plan, follow = re.findall(r'^   indexedredis (mirror .*?)(?: +#.*)?$', text, re.MULTILINE)
    assert re.findall(r'^   ExecStart=\S+ -m IndexedRedis (.*)$', text, re.MULTILINE) == [follow]
    path = os.pathsep.join(filter(None, sys.path))
    url = f'redis://{redis_params["host"]}:{redis_params["port"]}/0'
    how = {
        'env': {**os.environ, 'PYTHONPATH': path, 'INDEXEDREDIS_URL': url},
        'stdout': subprocess.PIPE,
        'stderr': subprocess.PIPE,
        'text': True,
    }
    command = [sys.executable, '-m', 'IndexedRedis']
    planned = subprocess.run([*command, *plan.split()], check=True, **how)
    assert 'pg_create_logical_replication_slot' in planned.stdout
    assert 'ALTER SYSTEM SET max_slot_wal_keep_size' in planned.stderr  # as the page says
    with subprocess.Popen([*command, *follow.split()], **how) as follower:
        wait_until(lambda: raw.exists('_ir_|Album:tmp:mirrored'))
        assert raw.scard('_ir_|Album:keys') == 1
        follower.send_signal(signal.SIGTERM)
        assert 'max_slot_wal_keep_size is unlimited' in follower.communicate()[1]
        assert follower.returncode == 0
    dropped = subprocess.run([*command, *plan.split()[:2], '--unfollow'], check=True, **how).stdout
    assert 'pg_drop_replication_slot' in dropped


# -- what an administrator runs ----------------------------------------------------------------

TABLES = ('CREATE TABLE artist (id int PRIMARY KEY)', 'CREATE TABLE album (id int PRIMARY KEY)')


def statements(language):
    """The statements of all blocks in a dialect of SQL."""
    block = rf'\.\. code-block:: {language}\n\n((?:   .*\n|\n)+)'
    text = ''.join(re.findall(block, PAGE.read_text('utf-8')))
    parts = re.sub('--.*', '', text).split(';')
    return [' '.join(part.split()) for part in parts if part.strip()]


@pytest.fixture
def administrator(running, request):
    """A connection to an empty database `shop` with two tables, which does what its user says."""
    engine = fresh(running_server(running, request.param), 'shop')
    with engine.connect().execution_options(isolation_level='AUTOCOMMIT') as connection:
        for statement in TABLES:
            connection.exec_driver_sql(statement)
        yield connection
    engine.dispose()


def plan_of(administrator, source, schema, password):
    """What the mirror's user lacks to follow the tables."""
    engine = create_engine(administrator.engine.url.set(username='mirror', password=password))
    with engine.connect() as connection:
        found = source.plan(connection, 'shop', {f'{schema}.artist': ('id',)})
    engine.dispose()
    return found


@pytest.mark.parametrize('administrator', [server('postgresql')], indirect=True)
def test_the_role_of_postgresql_lacks_the_publication_only(administrator):
    replies = [administrator.exec_driver_sql(each) for each in statements('psql')]
    try:
        assert [*replies[-1].keys()] == ['slot_name', 'active', 'wal_status', 'lag', 'kept']
        plan = plan_of(administrator, PostgresSource(), 'public', None)
        (problem,) = plan.problems
        assert 'it does not own public.artist' in problem
        assert 'may not read' not in str(plan.warnings)
    finally:
        for statement in ('SYSTEM RESET wal_level', 'SYSTEM RESET max_slot_wal_keep_size'):
            administrator.exec_driver_sql(f'ALTER {statement}')
        administrator.exec_driver_sql('DROP OWNED BY mirror; DROP ROLE mirror')


@pytest.mark.parametrize('administrator', [server('mariadb')], indirect=True)
def test_the_user_of_mariadb_lacks_nothing(administrator):
    try:
        for statement in statements('mysql'):
            administrator.exec_driver_sql(statement)
        assert plan_of(administrator, MariadbSource(), 'shop', 'secret').problems == []
    finally:
        administrator.exec_driver_sql('DROP USER IF EXISTS mirror')
