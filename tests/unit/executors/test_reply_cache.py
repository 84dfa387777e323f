"""What is remembered of answers. The rule: an answer goes with the first of the keys it was read
from that changes, and the one that was not asked for longest goes when there are too many."""

from __future__ import annotations

import copy
from contextlib import suppress

import pytest
from faults.interrupts import Interrupt, Interrupts, marked
from redis.exceptions import ResponseError

from IndexedRedis import ConnectionSetupError
from IndexedRedis._core.flows import Batch
from IndexedRedis._core.mapping.resp import get_rows
from IndexedRedis._core.queries.scripts import (
    ANY,
    COUNT,
    COUNT_LIVING,
    FIND,
    FIND_ANY,
    PICK,
    PICK_ANY,
)
from IndexedRedis.executors.cache import reply_cache, tracking
from IndexedRedis.executors.cache.reply_cache import ReplyCache, is_cacheable, keys_read
from IndexedRedis.executors.cache.tracking import TrackedReplies

ROWS = get_rows(b'data:', [b'1', b'2'], (b'a', b'b'))
FOUND = [[b'3', b'4'], [[b'x'], [b'y']], None]
MARKERS = b'swapped', b'incarnations'
FIND_ARGS = (1, 2000, 100, b'data:', *MARKERS, b'a')

KEYS = {
    'sismember': ([('SISMEMBER', b'all', 1)], [1], {b'all'}),
    'rows': (ROWS, [[b'x', None], [None, None]], {b'data:1', b'data:2'}),
    'rows of members': (
        [('SMISMEMBER', b'all', 1, 2), *ROWS],
        [[1, 0], [b'x', None], [None, None]],
        {b'all', b'data:1', b'data:2'},
    ),
    'record': ([('MGET', *MARKERS)], [[None, None]], {*MARKERS}),
    'count': (
        [('EXISTS', b'r'), ('SCARD', b'i'), ('EXISTS', b'r')],
        [0, 1, 0],
        {b'r', b'i'},
    ),
    'find': (
        [FIND([b'all', b'i'], *FIND_ARGS)],
        [FOUND],
        {b'all', b'i', *MARKERS, b'data:3', b'data:4'},
    ),
    'find, too many rows': (
        [FIND([b'all', b'i'], *FIND_ARGS)],
        [[[b'3', b'4'], [None, None]]],
        {b'all', b'i', *MARKERS},
    ),
    'find, too many to look at': (
        [FIND([b'all', b'i'], *FIND_ARGS)],
        [[]],
        {b'all', b'i', *MARKERS},
    ),
    'find, one of several terms': (
        [FIND_ANY([b'all', b'i', b'j'], b'1 0 1 0', *FIND_ARGS[1:])],
        [FOUND],
        {b'all', b'i', b'j', *MARKERS, b'data:3', b'data:4'},
    ),
    'whether any matches': ([ANY([b'all', b'i'], 2, 5000)], [1], {b'all', b'i'}),
    'counting': ([COUNT([b'i', b'j'], 1, 2)], [5], {b'i', b'j'}),
    'counting those that live': (
        [COUNT_LIVING([b'all', b't', b'i'], 10000, 1, 1)],
        [5],
        {b'all', b't', b'i'},
    ),
}


@pytest.mark.parametrize('name', KEYS)
def test_the_keys_that_were_read(name):
    commands, replies, keys = KEYS[name]
    assert is_cacheable(commands)
    assert keys_read(tuple(commands), replies) == keys


def test_what_cannot_be_told_is_not_kept():
    picked = PICK([b'all'], 1, 'first', 5000, 0, b'data:', b'incarnations', b'a')
    assert not is_cacheable([picked])
    some = PICK_ANY([b'all', b'i'], b'1 0', 'first', 5000, 0, b'data:', b'incarnations', b'a')
    assert not is_cacheable([some])
    for commands in ([picked], [some], [('SRANDMEMBER', b'all')]):
        answers = ReplyCache()
        answers.keep(tuple(commands), [[b'1', [b'x']]], 10)
        assert len(answers) == 0


def kept(*names, most=10):
    answers = ReplyCache()
    for name in names:
        commands, replies, _ = KEYS[name]
        answers.keep(tuple(commands), replies, most)
    return answers


def known(answers):
    return [name for name in KEYS if answers.get(tuple(KEYS[name][0])) is not None]


@pytest.mark.parametrize('key', [b'data:1', b'data:2'])
def test_an_answer_goes_with_any_of_its_keys_and_others_stay(key):
    answers = kept('rows', 'sismember', 'rows of members', 'count')
    answers.invalidate([b'other'])
    assert len(answers) == 4
    answers.invalidate([key])
    assert known(answers) == ['sismember', 'count']
    answers.invalidate([key, b'r', b'all'])
    assert known(answers) == []
    assert not answers._by_key  # nothing of them is left


def test_all_go_when_nobody_says_which():
    answers = kept('rows', 'sismember')
    answers.invalidate(None)
    assert (len(answers), answers._by_key) == (0, {})


def test_the_one_asked_for_longest_ago_goes():
    answers = kept('rows', 'sismember', most=2)
    assert answers.get(tuple(ROWS)) == KEYS['rows'][1]
    commands, replies, _ = KEYS['count']
    answers.keep(tuple(commands), replies, 2)
    assert known(answers) == ['rows', 'count']


def test_the_largest_number_holds():
    answers = kept('rows', 'sismember', most=2)
    commands, replies, _ = KEYS['count']
    answers.keep(tuple(commands), replies, 1)
    assert known(answers) == ['sismember', 'count']


def test_a_new_answer_replaces_the_old_one():
    answers = kept('sismember')
    answers.keep(tuple(KEYS['sismember'][0]), [0], 10)
    assert (len(answers), answers.get(tuple(KEYS['sismember'][0]))) == (1, [0])


def test_an_interrupt_at_any_statement_leaves_nothing_that_an_invalidation_does_not_find():
    interrupts = Interrupts()

    def use(answers):
        for name in ('rows', 'sismember', 'rows of members', 'count', 'rows'):
            commands, replies, _ = KEYS[name]
            answers.keep(tuple(commands), replies, 3)
            answers.get(tuple(ROWS))
        answers.invalidate([b'r'])
        answers.keep(tuple(ROWS), KEYS['rows'][1], 3)

    with marked([reply_cache], interrupts.tick):
        answers = ReplyCache()
        with interrupts.counting():
            use(answers)
        for place in interrupts.places():
            answers = ReplyCache()
            with suppress(Interrupt), interrupts.counting(place):
                use(answers)
            assert interrupts.raised, place
            for name in known(answers):
                again = copy.deepcopy(answers)
                again.invalidate([next(iter(KEYS[name][2]))])
                assert name not in known(again), place
            use(answers)  # nothing is in its way
            answers.invalidate(set().union(*(keys for _, _, keys in KEYS.values())))
            assert (len(answers), answers._by_key) == (0, {})


GET = Batch([('SISMEMBER', b'all', 1), ('GET', b'k')], shared=True)
QUESTION = tuple(GET.commands)
OK, ANSWER, HELLO = b'OK', [1, b'v'], {b'version': b'9.1.2'}


def asked(tracked, replies=(OK, 1, OK, b'v'), between=lambda: None):
    """Ask for `GET` and play the server; returns the replies to the batch."""
    wanted, data = tracked.reply_count(GET), tracked.request(GET)
    assert data.count(b'*') == wanted
    between()
    first = [HELLO, OK] if b'TRACKING' in data else []
    return tracked.receive(GET, [*first, *replies], 10)


@pytest.fixture
def tracked():
    return TrackedReplies(object())


def test_an_answer_is_given_again(tracked):
    assert tracked.get(QUESTION) is None
    assert asked(tracked) == ANSWER
    assert tracked.get(QUESTION) == ANSWER
    assert asked(tracked) == ANSWER  # the second time, the server tells of changes already


def test_not_if_it_changed_meanwhile(tracked):
    asked(tracked, between=lambda: tracked.invalidate([b'invalidate', [b'other']]))
    assert tracked.get(QUESTION) is None


def test_not_if_it_changed_since(tracked):
    asked(tracked)
    tracked.invalidate([b'invalidate', [b'k']])
    assert tracked.get(QUESTION) is None


def test_not_if_this_process_has_written_since_it_was_asked(tracked):
    asked(tracked, between=tracking.note_write)
    assert tracked.get(QUESTION) is None
    asked(tracked)
    assert tracked.get(QUESTION) == ANSWER
    tracking.note_write()
    assert tracked.get(QUESTION) is None


def test_not_if_the_connection_was_silent_for_long(tracked, monkeypatch):
    asked(tracked)
    now = tracking.time.monotonic()
    monkeypatch.setattr(tracking.time, 'monotonic', lambda: now + tracking.TRUST_SECONDS + 0.1)
    assert tracked.get(QUESTION) is None
    asked(tracked)
    assert tracked.get(QUESTION) == ANSWER


def test_errors_are_not_remembered(tracked):
    error = ResponseError('WRONGTYPE')
    assert asked(tracked, [OK, 1, OK, error]) == [1, error]
    assert tracked.get(QUESTION) is None


def test_a_server_that_no_longer_tells_is_asked_to_tell_again(tracked):
    asked(tracked)
    refusal = ResponseError('CLIENT CACHING can be called only when ...')
    assert asked(tracked, [refusal, 1, refusal, b'v']) == ANSWER
    assert tracked.get(QUESTION) is None
    assert b'TRACKING' in tracked.request(GET)


NO = ResponseError('unknown subcommand')


@pytest.mark.parametrize(
    ('answers', 'why'),
    [
        ([HELLO, NO], 'refuses CLIENT TRACKING: unknown subcommand'),
        ([NO, NO], 'refuses CLIENT TRACKING: unknown subcommand'),
        ([HELLO, OK, NO], 'refuses CLIENT TRACKING: unknown subcommand'),
        ([{b'version': b'7.0.15'}, OK], 'is of version 7.0.15'),
    ],
)
def test_a_server_that_cannot_be_used(tracked, answers, why):
    tracked.request(GET)
    with pytest.raises(ConnectionSetupError, match=f'since the server {why}'):
        tracked.receive(GET, [*answers, *[OK, OK, OK, 1, OK, b'v'][len(answers) :]], 10)


def test_what_could_not_be_forgotten_is_not_believed(tracked, monkeypatch):
    """redis-py only logs what goes wrong while a message is taken."""
    monkeypatch.setattr(tracked, '_cache', None)
    with pytest.raises(AttributeError):
        tracked.invalidate([b'invalidate', [b'k']])
    assert tracked.link is None


def test_a_server_of_the_first_version_that_will_do(tracked):
    tracked.request(GET)
    assert tracked.receive(GET, [{b'version': b'7.2.0'}, OK, OK, 1, OK, b'v'], 10) == ANSWER
