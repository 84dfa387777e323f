"""The demo's reader, its figures, and what its screen makes of them; no server is needed."""

from __future__ import annotations

import io
import subprocess

import pytest
import redis

for package in ('sqlalchemy', 'rich'):
    pytest.importorskip(package, reason=f'the demo needs {package}')

from rich.console import Console  # noqa: E402

from IndexedRedis.demo import reader  # noqa: E402
from IndexedRedis.demo.output.blocks import Bar, Bars, Groups, Text  # noqa: E402
from IndexedRedis.demo.output.screen import Screen, continued, folded, resampled  # noqa: E402

# -- the reader ----------------------------------------------------------------------------------


def test_errors_that_are_counted_do_not_end_the_reader():
    answers = iter([redis.ConnectionError('gone'), *([[]] * 3), ZeroDivisionError()])

    def ask():
        answer = next(answers)
        if isinstance(answer, Exception):
            raise answer
        return answer

    with (
        pytest.raises(ZeroDivisionError),
        reader.Reader(ask, {1: []}, list, counted=(redis.RedisError,)) as reading,
    ):
        reading.wait_for(1, 9)
    assert (reading.errors, reading.seen[1]) == (1, 3)


def test_the_reader_knows_a_mixture():
    editions = {1: ['a', 'b', 'c'], 2: ['x', 'y']}
    reading = reader.Reader(list, editions, sorted)
    for answer in (['a', 'b', 'c'], ['x', 'y'], ['a', 'b'], ['a', 'y'], [], ['a', 'b', 'c']):
        reading._add(answer, 0.1, 0.1)
    assert reading.seen == {1: 2, 2: 1, reader.MIXTURE: 3}
    assert [edition for _, _, edition in reading.got] == [1, 2, 0, 0, 0, 1]


def test_an_error_of_the_reader_is_raised_where_one_waits():
    with (
        pytest.raises(ZeroDivisionError),
        reader.Reader(lambda: 1 / 0, {1: []}, list) as reading,
    ):
        reading.wait_for(1, 1)


def test_waiting_for_what_never_comes_ends():
    with (
        pytest.raises(RuntimeError, match='edition 2'),
        reader.Reader(list, {1: []}, list) as reading,
    ):
        reading.wait_for(2, 1, seconds=0.2)
    assert reading.seen[1]
    assert not reading._thread.is_alive()


def test_figures():
    times = [float(number) for number in range(100, 0, -1)]
    assert reader.percentile(times, 0.99) == 100
    assert reader.percentile(times, 0.5) == 51
    assert reader.percentile([3.0], 0.99) == 3
    got = [(0.05, 0, 1), (0.07, 0, 1), (0.15, 0, reader.MIXTURE), (0.31, 0, 2)]
    assert reader.rates(got, 0.1) == {1: [20, 0, 0, 0], 2: [0, 0, 0, 10]}


# -- the screen ----------------------------------------------------------------------------------


def drawn(block, width):
    console = Console(file=io.StringIO(), width=width)
    Screen(console).show([block])
    return [line.rstrip() for line in console.file.getvalue().splitlines()]


@pytest.mark.parametrize('width', [60, 80, 130])
def test_the_width_is_used(width):
    bars = Bars('clients', ('pages/s',), [Bar('one', 10, ('10',)), Bar('two', 5, ('5',))])
    lines = drawn(bars, width)
    assert {len(line) for line in lines[1:]} == {width}
    long, short = (line.count('█') for line in lines[2:])
    assert long == pytest.approx(2 * short, abs=1)
    assert long == width - 3 - len('one  ') - 11
    groups = Groups('ms', ['SQLite', 'MariaDB'], [('artist', [1.5, 2.25])])
    assert drawn(groups, width)[-1].endswith('2.25')
    assert max(map(len, drawn(groups, width))) >= width - 2


def test_no_more_than_is_read_easily():
    assert max(map(len, drawn(Bars('x', (), [Bar('one', 1, ())]), 400))) == 140


def test_a_paragraph_is_folded():
    lines = drawn(Text('word ' * 40), 50)
    assert max(map(len, lines)) <= 50
    assert ' '.join(lines).split() == ['word'] * 40


def test_code_is_broken_before_a_method():
    code = "Track.objects.filter(genre='Rock').orderBy('-milliseconds').all()"
    assert folded(code, 80) == [code]
    lines = folded(code, 40)
    assert ''.join(line.strip() for line in lines) == code
    assert max(map(len, lines)) <= 40


def test_a_long_command_goes_on_as_a_shell_reads_it(tmp_path):
    command = f'echo {" ".join(["word"] * 30)} && echo end'
    lines = continued(command, 40)
    assert max(map(len, lines)) <= 40
    both = [subprocess.check_output(['sh', '-c', c]) for c in (command, '\n'.join(lines))]
    assert both[0] == both[1]
    quoted = f"'/a folder/python' {'x' * 90}"
    assert continued(quoted, 40) == [quoted]


def test_columns_share_periods():
    assert resampled([1, 2, 3, 4], 4, 2) == [1.5, 3.5]
    assert resampled([1, 3], 2, 4) == [1, 1, 3, 3]
