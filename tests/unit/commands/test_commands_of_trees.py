"""What an "or", a "not" and lists of values send. The rule: as :mod:`test_commands`, command by
command; what comes to one set expression sends what plain filters send."""

from __future__ import annotations

import pytest

from IndexedRedis import IRField, Q
from IndexedRedis._core.bulk import delete
from IndexedRedis._core.partitions.queries import linked
from IndexedRedis._core.queries import fetch, pick
from IndexedRedis._core.queries import query as queries
from IndexedRedis.executors.recording import RecordingExecutor
from IndexedRedis.fields import IRForeignLinkField
from unit.build import define

K = b'_ir_|Song:'
KEYS, DATA, RECORD = K + b'keys', K + b'data:', K + b'tmp:resets'
SWAPPED, INCARNATIONS = K + b'tmp:swapped', K + b'tmp:incarnations'
NAMES = DATA, SWAPPED, INCARNATIONS
MARKERS = 'MGET', SWAPPED, INCARNATIONS
NONE = [None, None]  # the reply to MARKERS
ROCK, POP, JAZZ = (K + b'idx:genre:' + name for name in (b'rock', b'pop', b'jazz'))
OLD, NEW = K + b'idx:year:1999', K + b'idx:year:2000'
FIELDS = (b'name', b'genre', b'year', b'artist')
ROW = [b'Hells Bells', b'rock', b'1999', b'5']
A = b'_ir_|Artist:'

ARTIST = define('name', indexed=['name'], name='Artist')
SONG = define(
    *('name', 'genre', IRField('year', valueType=int), IRForeignLinkField('artist', ARTIST)),
    indexed=['genre', 'year', 'artist'],
)


def trips(flow, *replies):
    """Run a flow against these replies, one for each round trip: what it sent, what it gave."""
    executor = RecordingExecutor(replies)
    return executor.run(flow), executor.trips


def asked(*conditions, **lookups):
    return SONG.objects.filter(*conditions, **lookups)._query


# One set expression, however it is written: the required sets, the excluded ones.
ONE = {
    'in of one': (asked(genre__in=['rock']), (ROCK,), ()),
    'in of one, twice': (asked(genre__in=['rock', 'rock']), (ROCK,), ()),
    'Q': (asked(Q(genre='rock', year=1999)), (ROCK, OLD), ()),
    'null': (asked(genre__isnull=True), (K + b'idx:genre:IRNullType()',), ()),
    'not null': (asked(genre__isnull=False), (), (K + b'idx:genre:IRNullType()',)),
    'not': (asked(~Q(genre='rock')), (), (ROCK,)),
    'not in': (asked(~Q(genre__in=['rock', 'pop'])), (), (ROCK, POP)),
    'neither': (asked(~(Q(genre='rock') | Q(year=1999))), (), (ROCK, OLD)),
    'not not': (asked(~~Q(genre='rock')), (ROCK,), ()),
    'absorbed': (asked(Q(genre='rock') | Q(genre='rock', year=1999)), (ROCK,), ()),
    'in and out': (asked(genre__in=['rock', 'pop'], genre__ne='pop', year=1999), (ROCK, OLD), ()),
    'what both have': (
        asked(Q(genre__in=['rock', 'pop']), Q(genre__in=['pop', 'jazz'])),
        (POP,),
        (),
    ),
    'everything': (asked(Q(genre='rock') | ~Q(genre='rock')), (), ()),
}


@pytest.mark.parametrize('name', ONE)
def test_what_is_one_set_expression_is_one_script(name):
    query, every, none = ONE[name]
    found, sent = trips(fetch.fetch(query), [[[], [], None]])
    required = (KEYS, *every)
    members = 200 if len(every) <= 1 and not none else 2000
    sets = (len(required) + len(none), *required, *none, len(required))
    assert sent == [[('EVALSHA', 'find', *sets, members, 100, *NAMES, *FIELDS)]]
    assert found == []


NOTHING = {
    'in of nothing': asked(genre__in=[]),
    'two values': asked(Q(genre='rock') & Q(genre='pop'), Q(year=1) | Q(year=2)),
    'in and out': asked(Q(genre__in=['rock', 'pop']), ~Q(genre__in=['pop', 'rock'])),
    'not everything': (~SONG.objects)._query,
    'no pk': asked(pk__in=[]),
}


@pytest.mark.parametrize('name', NOTHING)
def test_what_cannot_match_sends_nothing(name):
    query = NOTHING[name]
    assert trips(fetch.fetch(query)) == ([], [])
    assert trips(queries.count(query)) == (0, [])
    assert trips(queries.primary_keys(query)) == ([], [])
    assert trips(pick.pick(query, query.schema.all, 'first', 0)) == (None, [])


ANY = {
    'in': (asked(genre__in=['rock', 'pop']), (ROCK, POP), b''),
    'in, and another': (
        asked(genre__in=['rock', 'pop'], year=1999),
        (ROCK, OLD, POP, OLD),
        b'2 0 2 0',
    ),
    'in, and not': (
        asked(genre__in=['rock', 'pop'], year__ne=1999),
        (ROCK, OLD, POP, OLD),
        b'1 1 1 1',
    ),
    'or': (asked(Q(genre='rock') | Q(year=1999)), (ROCK, OLD), b''),
    'or in': (
        asked(Q(genre__in=['rock', 'pop']) | (Q(genre='pop') | Q(year=1999))),
        (ROCK, POP, OLD),
        b'',
    ),
    'or not': (asked(Q(genre='rock') | ~Q(year=1999)), (ROCK, OLD), b'1 0 0 1'),
    'not both': (asked(~Q(genre='rock', year=1999)), (ROCK, OLD), b'0 1 0 1'),
    'and of or': (
        asked(Q(genre='rock') | Q(year=1999), genre__ne='pop'),
        (ROCK, OLD, POP),
        b'1 0 1 1',
    ),
}


@pytest.mark.parametrize('name', ANY)
def test_a_small_or_is_one_script(name):
    query, sets, shape = ANY[name]
    head = ('EVALSHA', 'find_any', 1 + len(sets), KEYS, *sets, shape)
    found, sent = trips(fetch.fetch(query), [[[b'7'], [ROW], None]])
    members = 2000 if shape else 5000 - len(sets)
    assert sent == [[(*head, members, 100, *NAMES, *FIELDS)]]
    assert len(found) <= 1
    head = ('EVALSHA', 'pick_any', *head[2:])
    _, sent = trips(pick.pick(query, query.schema.all, 'last', 3), [[]])
    members = 5000 if shape else members
    assert sent == [[(*head, 'last', members, 3, DATA, INCARNATIONS, *FIELDS)]]


PKS = {
    'in': (ANY['in'][0], [('SINTER', KEYS, ROCK), ('SINTER', KEYS, POP)], [[b'1'], [b'2']], [1, 2]),
    'in, and not': (
        ANY['in, and not'][0],
        [
            *(('SINTER', KEYS, ROCK), ('SINTER', KEYS, ROCK, OLD)),
            *(('SINTER', KEYS, POP), ('SINTER', KEYS, POP, OLD)),
        ],
        [[b'1', b'2'], [b'2'], [b'3'], []],
        [1, 3],
    ),
    'or': (ANY['or'][0], [('SINTER', KEYS, ROCK), ('SINTER', KEYS, OLD)], [[b'1'], [b'1']], [1]),
    'or not': (
        ANY['or not'][0],
        [('SINTER', KEYS, ROCK), ('SDIFF', KEYS, OLD)],
        [[b'1'], [b'2']],
        [1, 2],
    ),
    'not a pk': (asked(pk__ne=2), [('SMEMBERS', KEYS)], [[b'1', b'2']], [1]),
    'not a pk, and more': (asked(pk__ne=2, genre='rock'), [('SINTER', KEYS, ROCK)], [[b'2']], []),
    'pks': (asked(pk__in=[3, 1, 2]), [('SMISMEMBER', KEYS, b'3', b'1', b'2')], [[1, 0, 1]], [3, 2]),
    'pks and more': (
        asked(pk__in=[3, 1], genre='rock', year__ne=1999),
        [('SMISMEMBER', key, b'3', b'1') for key in (KEYS, ROCK, OLD)],
        [[1, 1], [1, 1], [1, 0]],
        [1],
    ),
    'a pk or more': (
        asked(Q(pk=3) | Q(genre='rock')),
        [('SMISMEMBER', KEYS, b'3'), ('SINTER', KEYS, ROCK)],
        [[1], [b'3', b'4']],
        [3, 4],
    ),
}


@pytest.mark.parametrize('name', PKS)
def test_pks_are_read_in_one_moment(name):
    query, commands, replies, pks = PKS[name]
    several = len(commands) > 1
    reply = [b'OK', *[b'QUEUED'] * len(commands), replies] if several else replies
    found, sent = trips(queries.primary_keys(query), reply)
    assert sent == [[('MULTI',), *commands, ('EXEC',)] if several else commands]
    assert found == pks


def test_an_error_within_a_transaction_is_raised():
    wrong = ValueError('WRONGTYPE')
    with pytest.raises(ValueError, match='WRONGTYPE'):
        trips(queries.primary_keys(ANY['or'][0]), [b'OK', *[b'QUEUED'] * 2, [[], wrong]])


def test_a_large_or_is_a_transaction_of_set_commands_then_rows_in_chunks():
    query = ANY['or'][0]
    pks = [b'%d' % pk for pk in range(1, 41)]
    replies = [NONE, pks[:30], pks[20:]]
    transaction = [b'OK', *[b'QUEUED'] * 3, replies]
    found, sent = trips(fetch.fetch(query), [[]], transaction, [ROW] * 32, [*[ROW] * 8, NONE])
    assert [len(trip) for trip in sent] == [1, 5, 32, 9]
    assert sent[1] == [
        ('MULTI',),
        MARKERS,
        *(('SINTER', KEYS, ROCK), ('SINTER', KEYS, OLD)),
        ('EXEC',),
    ]
    assert sent[-1][-1] == MARKERS
    assert [obj._id for obj in found] == list(range(1, 41))


def test_a_thousand_values_are_two_trips():
    query = asked(year__in=range(1000), genre='rock')
    transaction = [b'OK', *[b'QUEUED'] * 1001, [NONE, [b'7'], *[[]] * 999]]
    found, sent = trips(fetch.fetch(query), transaction, [[b'x', b'rock', b'0', b'5'], NONE])
    assert len(sent) == 2
    assert sent[0][2] == ('SINTER', KEYS, K + b'idx:year:0', ROCK)
    assert [obj._id for obj in found] == [7]


def test_a_thousand_values_alone_are_one_script_and_rows():
    query = asked(year__in=range(1000))
    rows = [[b'x', b'rock', b'0', b'5'], NONE]
    found, sent = trips(fetch.fetch(query), [[[b'7'], NONE]], rows)
    assert [len(trip) for trip in sent] == [1, 2]
    assert sent[0][0][1:4] == ('find_any', 1001, KEYS)
    assert sent[0][0][1003:1006] == (K + b'idx:year:999', b'', 4000)
    assert [obj._id for obj in found] == [7]


def test_more_values_than_a_script_unites_are_intersections():
    query = asked(year__in=range(2001))
    transaction = [b'OK', *[b'QUEUED'] * 2002, [NONE, [b'7'], *[[]] * 2000]]
    found, sent = trips(fetch.fetch(query), transaction, [[b'x', b'rock', b'0', b'5'], NONE])
    assert [len(trip) for trip in sent] == [2004, 2]
    assert sent[0][2] == ('SINTER', KEYS, K + b'idx:year:0')
    assert [obj._id for obj in found] == [7]


def test_more_choices_than_the_server_intersects_are_evaluated_by_the_client():
    names = [f'f{n}' for n in range(3)]
    model = define(*names, indexed=names, name='Song')
    query = model.objects.filter(f0__in=range(30), f1__in=range(30), f2__in=range(30))._query
    one = {0: [b'1', b'2'], 30: [b'1', b'3'], 60: [b'1']}
    members = [one.get(n, []) for n in range(90)]
    pks, sent = trips(queries.primary_keys(query), [b'OK', *[b'QUEUED'] * 90, members])
    assert pks == [1]
    assert len(sent[0]) == 92
    assert sent[0][1] == ('SINTER', KEYS, K + b'idx:f0:0')
    # what no set holds needs the set of all pks
    query = (~model.objects.filter(f0__in=range(30), f1__in=range(30), f2__in=range(70)))._query
    assert len(queries.sources(query.schema.keys, query.filters)) == 1


@pytest.mark.parametrize(
    ('query', 'keys', 'numbers'),
    [
        (ANY['in'][0], (ROCK, POP), (1, 1, 1, 1)),
        (ANY['in, and another'][0], (ROCK, OLD, POP, OLD), (1, 2, 1, 2)),
        # rock, and those of the year that are not rock
        (ANY['or'][0], (ROCK, OLD, OLD, ROCK), (1, 1, 1, 1, -1, 2)),
        # not rock; rock, but not of the year
        (ANY['not both'][0], (KEYS, ROCK, ROCK, ROCK, OLD), (1, 1, -1, 1, 1, 1, -1, 2)),
    ],
)
def test_an_or_is_counted_by_one_script(query, keys, numbers):
    count, sent = trips(queries.count(query), [0, 42, 0])
    command = ('EVALSHA', 'count', len(keys), *keys, *numbers)
    assert sent == [[('EXISTS', RECORD), command, ('EXISTS', RECORD)]]
    assert count == 42


def test_pks_are_counted_by_the_client():
    assert trips(queries.count(asked(pk__in=[1, 2, 3])), [[1, 0, 1]])[0] == 2


def test_an_or_is_deleted_like_anything_else():
    transaction = [b'OK', *[b'QUEUED'] * 2, [[b'7'], []]]
    rows = [[1], [b'rock', b'1999', b'5']]
    count, sent = trips(delete.delete_matching(ANY['or'][0]), transaction, rows, [1])
    assert count == 1
    assert [trip[0][1] for trip in sent[2:]] == ['delete']
    # index sets of other objects stay out of it
    assert ROCK in sent[2][0] and OLD in sent[2][0] and POP not in sent[2][0]


def test_a_path_is_two_queries_in_two_trips():
    query = asked(artist__name='AC/DC')

    def everywhere(_):
        return 'one server'

    replies = (
        [b'T', b'6', [b'5', b'6']],  # marker and a pk of the artists, the pks that match
        [[[b'7'], [ROW], None], b'T', 1],  # songs; marker, and whether that pk is still there
    )
    executor = RecordingExecutor(replies)
    found = executor.run(linked.follow(query, fetch.fetch, everywhere))
    name = A + b'idx:name:AC/DC'
    links = K + b'idx:artist:5', K + b'idx:artist:6'
    find = ('EVALSHA', 'find_any', 3, KEYS, *links, b'', 4998, 100, *NAMES, *FIELDS)
    assert executor.trips == [
        [
            *(('GET', A + b'tmp:swapped'), ('SRANDMEMBER', A + b'keys')),
            ('SINTER', A + b'keys', name),
        ],
        [find, ('GET', A + b'tmp:swapped'), ('SISMEMBER', A + b'keys', b'6')],
    ]
    assert [obj._id for obj in found] == [7]


@pytest.mark.parametrize('after', [[b'T2', 1], [b'T', 0]], ids=['in place', 'fresh pks'])
def test_a_path_begins_anew_after_a_reset(after):
    first = [b'T', b'6', [b'5']]
    replies = (
        first,
        [[[], [], None], *after],
        [b'T2', b'8', [b'9']],
        [[[], [], None], b'T2', 1],
    )
    executor = RecordingExecutor(replies)
    assert executor.run(linked.follow(asked(artist__name='x'), fetch.fetch, lambda _: 1)) == []
    assert len(executor.trips) == 4
    assert K + b'idx:artist:9' in executor.trips[2 + 1][0]
