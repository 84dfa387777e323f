"""The parts of explain() that need no server: the text, the rehearsal, the measuring."""

from __future__ import annotations

import json

import pytest

from IndexedRedis._core.flows import Batch, Stream, ask
from IndexedRedis._core.inspection.explain import rehearse
from IndexedRedis._core.inspection.explanation import (
    Explanation,
    FilterSeen,
    Measured,
    Part,
    Rows,
    SetSeen,
    Trip,
)
from IndexedRedis._core.keys import Keys
from IndexedRedis._core.mapping.resp import get_rows
from IndexedRedis._core.text import shown
from IndexedRedis.executors.measuring import measured, reply_size
from IndexedRedis.executors.recording import RecordingExecutor
from IndexedRedis.executors.wire import pack_command

K = b'_ir_|Song:'
ALL, ABBA = K + b'keys', K + b'idx:artist:Abba'
TEXT = """\
Song: artist = Abba
  rows: 2,500 of 30,000
  path: set algebra, then rows in chunks: 2 trips, 10 chunks
  sets:
    in _ir_|Song:keys: 30,000
    in _ir_|Song:idx:artist:Abba: 2,500, the set algebra starts here
  commands:
    1. SINTER _ir_|Song:keys _ir_|Song:idx:artist:Abba
    2. HMGET _ir_|Song:data:<pk> name   x 2,500, in 10 chunks
  warnings:
    - Careful.
  measured: 1 row, 1 trip, 2 commands, 1,000 bytes sent, 20 received, 1.50 ms (of those 1.00 \
for the server)"""


@pytest.fixture
def explanation():
    sets = [SetSeen(ALL, True, 30_000, False), SetSeen(ABBA, True, 2500, True)]
    rows = Trip([('HMGET', K + b'data:<pk>', b'name')], 2500, 10)
    part = Part(sets, Rows(2500, 2500, 2500), [Trip([('SINTER', ALL, ABBA)]), rows])
    explanation = Explanation('Song', 30_000, [FilterSeen('artist', '', (b'Abba',), ())], [part])
    explanation.warnings.append('Careful.')
    explanation.measured = Measured(1, 1, 0, 2, 1000, 20, 0.0015, 0.001)
    return explanation


def test_the_text(explanation):
    assert str(explanation) == TEXT
    assert repr(explanation).startswith('<Explanation Song: 2,500 rows, set algebra')
    assert json.loads(json.dumps(explanation.asDict()))['sets'][1] == {
        **{'key': '_ir_|Song:idx:artist:Abba', 'included': True},
        **{'size': 2500, 'drives': True},
    }


def test_the_text_without_what_is_not_there(explanation):
    explanation.measured = None
    explanation.warnings.clear()
    assert str(explanation) == TEXT.partition('\n  warnings')[0]
    assert explanation.asDict()['measured'] is None


def test_several_parts_add_up(explanation):
    explanation.parts = [
        Part([], Rows(1, 3, 2), [Trip([('A',)])]),
        Part([], Rows(1, 1, 1), [Trip([('B',)])]),
    ]
    assert explanation.rows == Rows(2, 4, 3)
    assert str(explanation.rows) == 'about 3 (between 2 and 4)'
    assert explanation.path == 'scripts that give pks and rows: 2 trips'


WORDS = {
    b'plain': 'plain',
    b'': "''",
    b'two words': "'two words'",
    b'\x1b[31m': r"'\x1b[31m'",
    b'\xff': r'\xff',
    7: '7',
    b'x' * 200: 'x' * 100 + '...',
}


@pytest.mark.parametrize('word', WORDS, ids=repr)
def test_words_are_shown_so_that_no_terminal_takes_them_for_orders(word):
    assert shown(word) == WORDS[word]


def test_filters_are_shown():
    values = tuple(b'%d' % n for n in range(5))
    assert str(FilterSeen('a', 'ne', values, ())) == 'a__ne = 0 or 1 or 2 and 2 more'


def flow(chunks):
    """Two commands, then rows."""
    first = yield Batch([('GET', b'x'), ('SMEMBERS', ALL)])
    pks = first[1]
    rows = []
    batches = [Batch(get_rows(K + b'data:', [pk], (b'a', b'b'))) for pk in pks[:chunks]]
    if batches:
        batches[-1].commands.append(('GET', b'y'))
    yield Stream(batches, lambda replies: rows.append(replies[0]))
    yield from ask('GET', b'x')
    return rows


@pytest.mark.parametrize('chunks', [0, 3])
def test_a_rehearsal_notes_what_would_be_sent(chunks):
    trips = rehearse(flow(chunks), smallest=5000, rows=4, keys=Keys('Song'))
    rows, note = ('HMGET', K + b'data:<pk>', b'a', b'b'), ('GET', b'y')
    stream = [Trip([rows], 3, 3, [note])] if chunks else []
    commands = [('GET', b'x'), ('SMEMBERS', ALL)]
    assert trips == [Trip(commands), *stream, Trip([('GET', b'x')])]


REPLIES = {
    b'': b'$0\r\n\r\n',
    b'x' * 12: b'$12\r\n' + b'x' * 12 + b'\r\n',
    None: b'$-1\r\n',
    1234: b':1234\r\n',
    (b'a', (None, 1)): b'*2\r\n$1\r\na\r\n*2\r\n$-1\r\n:1\r\n',
}


@pytest.mark.parametrize('reply', REPLIES, ids=repr)
def test_replies_are_as_long_as_on_the_wire(reply):
    assert reply_size(reply) == len(REPLIES[reply])


def test_measuring_counts_what_passes():
    replies = [[None, [b'1', b'2']], [[b'x', None]], [[b'yy', None], None], [None]]
    executor = RecordingExecutor(replies)
    result = executor.run(measured(flow(9)))
    sent = [command for trip in executor.trips for command in trip]
    assert result[:4] == (2, 3, 2, 6)
    assert result.bytesSent == sum(len(pack_command(command)) for command in sent)
    assert result.bytesReceived == sum(map(reply_size, [each for r in replies for each in r]))
    assert 0 <= result.waited <= result.seconds


def test_what_fails_fails_as_without_measuring():
    class Broken(Exception):
        pass

    with pytest.raises(Broken):
        RecordingExecutor([Broken()]).run(measured(flow(9)))
