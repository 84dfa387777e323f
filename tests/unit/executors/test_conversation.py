"""The conversation with a server, driven by hand. The rule: the test is the connection: it sees
each operation, and answers it or lets it fail."""

from __future__ import annotations

import pytest
from redis.exceptions import (
    AuthenticationError,
    ConnectionError,
    ExecAbortError,
    NoScriptError,
    OutOfMemoryError,
    ResponseError,
    TimeoutError,
)

from IndexedRedis._core.flows import AnswerLost, Batch, Pause, ServerFull, Stream, ask
from IndexedRedis._core.writes.inserts.pks import RESERVE
from IndexedRedis.executors import exchange, wire
from IndexedRedis.executors.conversation import converse
from IndexedRedis.executors.errors import PoolExhaustedError
from IndexedRedis.executors.wire import pack
from unit.played import Line

BROKEN = ConnectionError('broken')
PING, PONG = Batch([('PING',)]), [b'PONG']


@pytest.fixture
def clock(monkeypatch):
    """A clock that stands still but for what the test adds."""
    now = [100.0]
    monkeypatch.setattr(exchange.time, 'monotonic', lambda: now[0])
    return now


def stream(count, got, size=1):
    batches = (Batch([('ECHO', b'%d' % number)] * size) for number in range(count))
    yield Stream(batches, lambda replies: got.append(replies[0]))


def test_a_batch_is_one_write_and_one_read():
    line = Line([b'1', b'2'])

    def flow():
        return (yield Batch([('GET', 'a'), ('GET', 'b')]))

    assert line.run(flow()) == [b'1', b'2']
    assert line.log == ['open', 'send', ('read', 2), ('close', False)]
    assert line.sent == [b'*2\r\n$3\r\nGET\r\n$1\r\na\r\n*2\r\n$3\r\nGET\r\n$1\r\nb\r\n']


def test_lost_connections_are_closed_and_the_batch_is_sent_again():
    line = Line(BROKEN, PONG)
    assert line.run(ask('PING')) == b'PONG'
    once = ['open', 'send', ('read', 1)]
    assert line.log == [*once, ('close', True), 'sleep', *once, ('close', False)]
    assert line.sent == [pack(PING)] * 2


@pytest.mark.parametrize('error', [TimeoutError('late'), AuthenticationError('who?')])
def test_what_cannot_help_is_not_tried_again(error):
    line = Line(error)
    with pytest.raises(type(error)):
        line.run(ask('PING'))
    assert line.log == ['open', 'send', ('read', 1), ('close', True)]


def test_retries_end_after_a_second(clock, monkeypatch):
    line = Line(*[BROKEN] * 100)
    monkeypatch.setattr(
        Line, '_perform', _with_clock(Line._perform, clock, {'sleep': lambda seconds: seconds})
    )
    with pytest.raises(ConnectionError):
        line.run(ask('PING'))
    assert 3 < line.log.count('sleep') < 100
    assert 0.5 < clock[0] - 100 <= 1.0


def _with_clock(perform, clock, cost):
    def timed(self, name, *args):
        clock[0] += cost[name](*args) if name in cost else 0
        return perform(self, name, *args)

    return timed


def test_the_second_begins_anew_with_every_answer(clock, monkeypatch):
    got = []
    line = Line([b'0'], [b'1'], BROKEN, [b'2'], [b'3'])
    monkeypatch.setattr(Line, '_perform', _with_clock(Line._perform, clock, {'read': lambda _: 5}))
    line.run(stream(4, got))
    assert got == [b'0', b'1', b'2', b'3']


def test_a_stream_keeps_three_batches_in_flight_and_consumes_them_in_order():
    got = []
    line = Line(*([b'%d' % number] for number in range(6)))
    line.run(stream(6, got))
    assert got == [b'0', b'1', b'2', b'3', b'4', b'5']
    steps = [step if isinstance(step, str) else step[0] for step in line.log]
    assert steps == ['open', 'send', 'send', *['send', 'read'] * 4, 'read', 'read', 'close']


def test_after_a_break_a_stream_goes_on_with_what_was_not_answered():
    got = []
    line = Line([b'0'], BROKEN, *([b'%d' % number] for number in range(1, 6)))
    line.run(stream(6, got))
    assert got == [b'0', b'1', b'2', b'3', b'4', b'5']
    echo = [pack(Batch([('ECHO', b'%d' % number)])) for number in range(6)]
    assert line.sent == [*echo[:4], *echo[1:4], *echo[4:]]


def test_a_batch_to_be_sent_once_is_not_repeated():
    line = Line(BROKEN)

    def flow():
        yield Batch([('INCR', 'a')], once=True)

    with pytest.raises(AnswerLost) as caught:
        line.run(flow())
    assert caught.value.__cause__ is BROKEN
    assert len(line.sent) == 1


def test_a_batch_to_be_sent_once_may_wait_for_a_connection():
    line = Line(PONG)
    refused = [ConnectionError('refused'), ConnectionError('refused')]
    perform = line._perform

    def refusing(name, *args):
        result = perform(name, *args)
        if name == 'open' and refused:
            raise refused.pop()
        return result

    line._perform = refusing

    def flow():
        return (yield Batch([('PING',)], once=True))

    assert line.run(flow()) == PONG
    assert line.log.count('open') == 3
    assert len(line.sent) == 1


def test_a_pool_without_a_free_connection_is_not_asked_again():
    line = Line()
    perform = line._perform

    def refusing(name, *args):
        perform(name, *args)
        if name == 'open':
            raise PoolExhaustedError

    line._perform = refusing
    with pytest.raises(ConnectionError, match='No connection available'):
        line.run(ask('PING'))
    assert line.log == ['open']


def test_the_call_of_an_unknown_script_is_repeated_with_its_text():
    command = RESERVE([b'next', b'keys'], 1, 0)
    line = Line([NoScriptError('NOSCRIPT')], [5])
    assert line.run(ask(*command)) == 5
    assert line.sent == [
        pack(Batch([command])),
        pack(Batch([('EVAL', RESERVE.text, 2, b'next', b'keys', 1, 0)])),
    ]
    assert ('close', True) not in line.log


def test_a_script_unknown_in_the_middle_of_a_stream_loses_nothing():
    command = RESERVE([b'next', b'keys'], 1, 0)
    got = []

    def flow():
        yield Stream((Batch([command]) for _ in range(4)), lambda replies: got.append(replies[0]))

    unknown = [NoScriptError('NOSCRIPT')]
    line = Line([1], unknown, unknown, unknown, [2], [3], [4])
    line.run(flow())
    assert got == [1, 2, 3, 4]
    assert ('close', True) not in line.log


def test_errors_reach_the_flow_where_it_asked():
    def flow():
        try:
            yield Batch([('INCR', 'a')])
        except ResponseError:
            return (yield Batch([('GET', 'a')]))

    assert Line([ResponseError('no number')], [b'x']).run(flow()) == [b'x']


@pytest.mark.parametrize(
    'reply',
    [
        OutOfMemoryError('command not allowed when used memory > maxmemory'),
        ExecAbortError('Transaction discarded because of: OOM command not allowed'),
    ],
)
def test_a_full_server_is_an_error_that_flows_know_and_redis_py_knows(reply):
    def flow():
        try:
            yield Batch([('SET', 'a', 'b')])
        except ServerFull as error:
            return error

    error = Line([reply]).run(flow())
    assert isinstance(error, OutOfMemoryError)
    assert str(error) == str(reply)
    with pytest.raises(OutOfMemoryError):
        Line([reply]).run(ask('SET', 'a', 'b'))


@pytest.mark.parametrize('error', [ValueError('bad'), ConnectionError('of another server')])
def test_an_error_of_the_batch_source_ends_the_stream_after_what_was_sent_is_read(error):
    got = []

    def batches():
        yield PING
        yield PING
        raise error

    def flow():
        yield Stream(batches(), got.append)

    line = Line(PONG, PONG, PONG, PONG)
    with pytest.raises(type(error)) as caught:
        line.run(flow())
    assert caught.value is error
    reads = [('read', 1)] * 2
    assert line.log == ['open', 'send', 'send', *reads, ('close', False)]


@pytest.mark.parametrize('error', [ValueError('bad'), ConnectionError('of another server')])
def test_an_error_of_the_consumer_ends_the_stream_after_what_was_sent_is_read(error):
    def refuse(replies):
        raise error

    def flow():
        yield Stream(iter([PING] * 5), refuse)

    line = Line(*[PONG] * 5)
    with pytest.raises(type(error)) as caught:
        line.run(flow())
    assert caught.value is error
    assert line.log == ['open', *['send'] * 3, *[('read', 1)] * 3, ('close', False)]


def test_a_connection_that_breaks_while_it_is_read_to_the_end_is_closed():
    def refuse(replies):
        raise ValueError('bad')

    def flow():
        yield Stream(iter([PING] * 5), refuse)

    line = Line(PONG, BROKEN)
    with pytest.raises(ValueError, match='bad'):
        line.run(flow())
    assert line.log[-2:] == [('read', 1), ('close', True)]


@pytest.mark.parametrize('error', [KeyboardInterrupt(), SystemExit()])
def test_an_interrupt_closes_the_connection_and_reads_no_further(error):
    line = Line(error)
    with pytest.raises(type(error)):
        line.run(stream(3, []))
    assert line.log[-2:] == [('read', 1), ('close', True)]


def test_a_conversation_that_is_dropped_ends_quietly():
    talk = converse(ask('PING'))
    assert next(talk) == ('send_now', PING)
    assert talk.send(None) == ('open',)
    assert talk.send(None)[0] == 'send'
    talk.close()


def test_a_pause_sleeps():
    line = Line()

    def flow():
        yield Pause(0.25)
        return 'awake'

    assert line.run(flow()) == 'awake'
    assert line.log == ['sleep']


def test_hiredis_gets_no_numbers(monkeypatch):
    """It makes text of them by code during which Python handles signals, and it crashes then."""
    seen = []
    pack_command = wire.pack_command
    monkeypatch.setattr(wire, 'pack_command', lambda args: seen.append(args) or pack_command(args))
    command = ('ZADD', b'k', 12, -7, True, 1.5, 10**30, 'text', b'bytes')
    data = pack(Batch([command]))
    assert seen == [('ZADD', b'k', b'12', b'-7', b'1', b'1.5', b'1' + b'0' * 30, 'text', b'bytes')]
    assert data == pack_command((*command[:4], 1, *command[5:]))


def test_a_command_that_cannot_be_packed_sends_nothing():
    line = Line()
    with pytest.raises(Exception, match=r'.'):
        line.run(ask('SET', 'a', object()))
    assert line.log == ['open', ('close', False)]
