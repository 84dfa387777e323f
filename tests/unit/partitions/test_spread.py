"""Flows on several partitions at the same time: what is sent in which round, and what becomes of
errors, streams, pauses and flows that are given up. No server."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from IndexedRedis._core.flows import AnswerLost, Batch, Elsewhere, Fenced, Parts, Pause, Stream, ask
from IndexedRedis._core.partitions.spread import guarded, spread, witnessed

SHARD: Any = SimpleNamespace(
    keys=SimpleNamespace(fence=b'fence', edition=b'kept'), open=b'7 6', number=3
)
MARKS = ('MGET', b'fence', b'kept')
FENCE = ('GET', b'fence')


def play(flow, *outcomes):
    """Run a flow on outcomes of its steps; return its result, and the steps. An exception is thrown
    into it."""
    steps, outcome = [], None
    left = iter(outcomes)
    try:
        step = next(flow)
        while True:
            steps.append(step)
            outcome = next(left)
            step = flow.throw(outcome) if isinstance(outcome, Exception) else flow.send(outcome)
    except StopIteration as stop:
        assert not [*left]
        return stop.value, steps


def parts(*pairs):
    """A step that sends these commands, each to the place of a key."""
    return Parts([(key, Batch([command])) for key, command in pairs])


def asks(name, count, closed=None):
    """Ask for so many things, one after the other; return the replies."""
    replies = []
    try:
        for number in range(count):
            replies.append((yield from ask(name, number)))
    finally:
        if closed is not None:
            closed.append(name)
    return replies


def test_each_round_has_what_all_flows_have_to_send():
    flows = {n: (b'k%d' % n, asks('ABC'[n], count)) for n, count in enumerate((1, 3, 2))}
    outcomes, steps = play(spread(flows), [['a0'], ['b0'], ['c0']], [['b1'], ['c1']], [['b2']])
    assert steps == [
        parts((b'k0', ('A', 0)), (b'k1', ('B', 0)), (b'k2', ('C', 0))),
        parts((b'k1', ('B', 1)), (b'k2', ('C', 1))),
        parts((b'k1', ('B', 2))),
    ]
    assert [outcomes[n].result for n in range(3)] == [['a0'], ['b0', 'b1', 'b2'], ['c0', 'c1']]
    assert [*outcomes] == [0, 1, 2]


def test_a_flow_that_sends_nothing_has_its_result():
    outcomes, steps = play(spread({'none': (b'k', asks('A', 0))}))
    assert steps == [] and outcomes['none'].result == []
    assert play(spread({})) == ({}, [])


def test_an_error_concerns_one_flow():
    def recovers():
        with pytest.raises(KeyError):
            yield from ask('B')
        return (yield from ask('C'))

    flows = {'a': (b'ka', asks('A', 2)), 'b': (b'kb', recovers()), 'c': (b'kc', asks('D', 2))}
    error, lost = KeyError('b'), ValueError('c')
    outcomes, steps = play(spread(flows), [['a0'], error, lost], [['a1'], ['c']])
    assert steps[1] == parts((b'ka', ('A', 1)), (b'kb', ('C',)))
    assert (outcomes['a'].result, outcomes['b'].result) == (['a0', 'a1'], 'c')
    assert outcomes['c'].error is lost
    with pytest.raises(ValueError, match='c'):
        outcomes['c'].result


def test_an_error_before_the_first_step_is_an_outcome_too():
    def fails():
        raise LookupError
        yield

    outcomes, _ = play(spread({'a': (b'k', fails()), 'b': (b'k', asks('B', 1))}), [[1]])
    assert isinstance(outcomes['a'].error, LookupError)
    assert outcomes['b'].result == [1]


def test_other_steps_are_carried_out_one_after_the_other():
    def waits(step):
        first = yield step
        return first, (yield from ask('THEN'))

    pauses, elsewhere = Pause(0.5), Elsewhere('model', asks('X', 0))
    flows = {
        'pauses': (b'kp', waits(pauses)),
        'asks': (b'ka', asks('A', 2)),
        'elsewhere': (b'ke', waits(elsewhere)),
    }
    outcomes, steps = play(spread(flows), [['a0']], None, ['x'], [['a1'], ['p'], ['e']])
    assert steps == [
        parts((b'ka', ('A', 0))),
        pauses,
        elsewhere,
        parts((b'ka', ('A', 1)), (b'kp', ('THEN',)), (b'ke', ('THEN',))),
    ]
    assert outcomes['pauses'].result == (None, 'p')
    assert outcomes['elsewhere'].result == (['x'], 'e')
    assert outcomes['asks'].result == ['a0', 'a1']


def test_an_error_of_another_step_concerns_its_flow():
    def waits():
        yield Elsewhere('model', asks('X', 0))

    flows = {'waits': (b'k', waits()), 'asks': (b'k', asks('A', 2))}
    outcomes, _ = play(spread(flows), [['a0']], OSError('away'), [['a1']])
    assert str(outcomes['waits'].error) == 'away'
    assert outcomes['asks'].result == ['a0', 'a1']


def test_a_flow_that_is_given_up_closes_all():
    closed: list[str] = []
    flow = spread({n: (b'k', asks(n, 2, closed)) for n in 'ABC'})
    next(flow)
    flow.close()
    assert closed == ['A', 'B', 'C']


@pytest.mark.parametrize('error', [KeyboardInterrupt, GeneratorExit])
def test_an_interrupt_ends_all_flows(error):
    closed: list[str] = []
    flow = spread({n: (b'k', asks(n, 2, closed)) for n in 'AB'})
    next(flow)
    with pytest.raises(error):
        flow.throw(error)
    assert closed == ['A', 'B']


def test_a_read_is_followed_by_the_marks_of_its_partition():
    noted: list[Any] = []
    flow = witnessed(asks('A', 2), SHARD, lambda *marks: noted.append(marks))
    found, steps = play(flow, ['a0', [b'7 6', b'1']], ['a1', [b'8 6', None]])
    assert found == ['a0', 'a1']
    assert [step.commands for step in steps] == [[('A', 0), MARKS], [('A', 1), MARKS]]
    assert noted == [(SHARD, b'7 6', b'1'), (SHARD, b'8 6', None)]


def stream_of(batches, found):
    yield Stream(batches, found.append)
    return 'end'


def test_the_batches_of_a_stream_become_one_step_each():
    found: list[Any] = []
    batches = [Batch([('A', 0)]), None, Batch([('A', 1), ('A', 2)])]
    flow = witnessed(stream_of(batches, found), SHARD, lambda *marks: None)
    end, steps = play(flow, ['a0', [None, None]], ['a1', 'a2', [None, None]])
    assert end == 'end'
    assert [step.commands for step in steps] == [[('A', 0), MARKS], [('A', 1), ('A', 2), MARKS]]
    assert found == [['a0'], ['a1', 'a2']]


def test_an_error_in_a_stream_reaches_the_flow():
    def flow():
        try:
            yield from stream_of([Batch([('A', 0)]), Batch([('A', 1)])], [])
        except OSError:
            return 'recovered'

    end, steps = play(witnessed(flow(), SHARD, lambda *marks: None), OSError())
    assert end == 'recovered' and len(steps) == 1


def test_what_a_stream_draws_may_depend_on_what_it_has_consumed():
    found: list[Any] = []

    def batches():
        yield Batch([('A', 0)])
        while not found:
            yield None
        yield Batch([('A', found[-1][0])])

    play(guarded(stream_of(batches(), found), SHARD), ['x', b'7 6'], ['y', b'7 6'])
    assert found == [['x'], ['y']]


def test_other_steps_pass_unchanged():
    def flow():
        yield Pause(1)
        return (yield Elsewhere('model', None))

    for wrapped in (witnessed(flow(), SHARD, lambda *marks: None), guarded(flow(), SHARD)):
        assert play(wrapped, None, 'x') == ('x', [Pause(1), Elsewhere('model', None)])


@pytest.mark.parametrize('fence', [b'8 6', b'7 12', b'7 6>8 6 t', None])
def test_a_writer_that_reads_another_edition_is_told(fence):
    def flow():
        try:
            yield from ask('HMGET')
        except Fenced as told:
            return told.args[0]

    told, (step,) = play(guarded(flow(), SHARD), ['row', fence])
    assert step.commands == [('HMGET',), FENCE]
    assert told == (fence or b'absent')


def test_what_was_written_counts_though_the_fence_moved_right_behind():
    """The script compared the fence before it wrote: to write again could write twice."""

    def once():
        return (yield Batch([('INCR', 'a')], once=True))

    assert play(guarded(once(), SHARD), [1, b'8 6'])[0] == [1]

    def exec_():
        return (yield Batch([('WATCH', 'a'), ('MULTI',), ('SET', 'a', 1), ('EXEC',)]))

    replies, (step,) = play(guarded(exec_(), SHARD), [1, 2, 3, [b'OK'], b'8 6'])
    assert replies == [1, 2, 3, [b'OK']]
    assert step.commands[0] == ('WATCH', 'a', b'fence')


def test_a_lost_answer_reaches_the_flow_that_asked():
    def flow():
        try:
            yield Batch([('A',)], once=True)
        except AnswerLost:
            return 'lost'

    outcomes, _ = play(spread({'a': (b'k', guarded(flow(), SHARD))}), [AnswerLost()])
    assert outcomes['a'].result == 'lost'


@pytest.mark.parametrize('wrap', [guarded, lambda flow, shard: witnessed(flow, shard, print)])
def test_wrapped_flows_are_closed_with_their_wrapper(wrap):
    closed: list[str] = []
    flow = wrap(asks('A', 2, closed), SHARD)
    next(flow)
    flow.close()
    assert closed == ['A']
