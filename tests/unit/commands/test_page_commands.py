"""What orders, parts and pages send. The rule: as in ``test_commands.py``, the expected commands
are written out; queries without an order send what they sent before there were any."""

from __future__ import annotations

import pytest

from IndexedRedis import IRField, QueryError, UsageError
from IndexedRedis._core.queries.ordering import part, plan
from IndexedRedis._core.queries.query import count
from unit.build import define, load
from unit.commands.test_commands import (
    DATA,
    GENRE_POP,
    GENRE_ROCK,
    INCARNATIONS,
    KEYS,
    MARKERS,
    NONE,
    RECORD,
    SWAPPED,
    K,
    trips,
)

BY_YEAR = K + b'keys:sorted:year'
FIELDS = (b'name', b'genre', b'year', b'plain')
ALL, NULLS, OTHERS = (b'-inf', b'+inf'), (b'+inf', b'+inf'), (b'-inf', b'(+inf')
EVERY = 2**53
TOLD = [b'T', None]  # markers after a reset


@pytest.fixture
def song():
    return define(
        *('name', 'genre', IRField('year', valueType=int), 'plain'),
        indexed=['genre'],
        SORTED_FIELDS=['year'],
    )


@pytest.fixture
def rock(song):
    return song.objects.filter(genre='rock')


def walk(
    *tail,
    keys=(),
    down=False,
    settled=1,
    skip=0,
    wanted=EVERY,
    last=b'',
    segments=(ALL,),
    place=(1, b'', b''),
    clauses=(0,),
    fields=FIELDS,
):
    """A step of a walk along the years."""
    ends = [end for segment in segments for end in segment]
    return (
        *('EVALSHA', 'walk', 4 + len(keys), BY_YEAR, SWAPPED, INCARNATIONS, KEYS, *keys),
        *('down' if down else 'up', settled, skip, wanted, last),
        *(plan.WALK_US, plan.SMALL_SET, len(segments), *ends, *place, *clauses, 0),
        *(plan.ROW_VALUES if fields else -1, DATA, *fields),
    )


def row(pk, year, plain=b'x'):
    return [b'song %d' % pk, b'rock', year, plain]


def found(*years, behind=None, enough=1, marker=None):
    """The reply of a walk: objects 1, 2, and so on, of these years."""
    pks = [b'%d' % pk for pk in range(1, len(years) + 1)]
    rows = [row(pk, year) for pk, year in enumerate(years, 1)]
    return [
        [[marker, None], 0, pks, list(years), rows, behind, enough, [0, 0], [*(behind or ())[2:]]]
    ]


def check(*pks):
    """What tells whether a reset has replaced the data set meanwhile."""
    return [MARKERS, ('SMISMEMBER', KEYS, *pks)]


def pks(objs):
    return [obj._id for obj in objs]


# -- parts ---------------------------------------------------------------------------------------


def test_a_part_in_the_order_of_a_sorted_field_is_one_trip(song):
    objs, sent = trips(song.objects.orderBy('year')[20:40]._all(False), found(b'5', b'5', b'6'))
    assert sent == [[walk(skip=20, wanted=20)]]
    assert pks(objs) == [1, 2, 3]
    assert (objs[0].name, objs[0].year) == ('song 1', 5)


def test_filters_are_tested_on_the_way(rock):
    _, sent = trips(rock.filter(genre__ne='pop').orderBy('-year')[:5]._all(False), found(b'7'))
    assert sent == [
        [
            walk(
                keys=(GENRE_ROCK, GENRE_POP),
                down=True,
                wanted=5,
                segments=(OTHERS, NULLS),
                clauses=(2, 1, 1, 1, 1, 0, 1),
            )
        ]
    ]


def test_only_reads_the_fields_of_the_objects_the_filters_and_the_order(rock):
    query = rock.only('name').orderBy('year', 'plain')[:5]
    reply = [[NONE, 0, [b'1'], [b'5'], [[b'song 1', b'rock', b'5', b'x']], None, 1, [0, 0], []]]
    objs, sent = trips(query._all(False), reply)
    fields = (b'name', b'genre', b'year', b'plain')
    clauses = (1, 1, 1, 1)
    assert sent == [[walk(keys=(GENRE_ROCK,), settled=0, wanted=5, clauses=clauses, fields=fields)]]
    assert 'name' in repr(objs[0])


def test_values_read_their_fields_in_order(song):
    reply = [
        [NONE, 0, [b'7', b'3'], [b'5', b'6'], [[b'a', b'5'], [b'b', b'6']], None, 1, [0, 0], []]
    ]
    values, sent = trips(song.objects.orderBy('year')[:2]._values(['name', 'pk'], 'tuple'), reply)
    assert sent == [[walk(wanted=2, fields=(b'name', b'year'))]]
    assert values == [('a', 7), ('b', 3)]


def test_rows_that_are_too_many_for_one_trip_follow(song, monkeypatch):
    reply = [[TOLD, 0, [b'1', b'2'], [b'5', b'6'], [], None, 1, [0, 0], []]]
    rows = [[1, 1], row(1, b'5'), row(2, b'6')]
    rows = [rows[0], *rows[1:]]
    objs, sent = trips(song.objects.orderBy('year')._all(False), reply, rows, [TOLD, [1, 1]])
    get = [('HMGET', DATA + b'%d' % pk, *FIELDS) for pk in (1, 2)]
    assert sent == [[walk()], [('SMISMEMBER', KEYS, 1, 2), *get], check(1, 2)]
    assert pks(objs) == [1, 2]


def test_a_reset_between_pks_and_rows_begins_again(song):
    first = [[NONE, 0, [b'1'], [b'5'], [], None, 1, [0, 0], []]]
    rows = [[0], [None] * 4]
    objs, sent = trips(
        *(song.objects.orderBy('year')._all(False), first, rows, [TOLD, [1]]),
        found(b'6', marker=b'T'),
    )
    assert [trip[0][0] for trip in sent] == ['EVALSHA', 'SMISMEMBER', 'MGET', 'EVALSHA']
    assert (pks(objs), objs[0].year) == ([1], 6)


def test_objects_remember_the_incarnation_that_they_were_read_under(song):
    newest = b'a' * 40
    markers, query = [None, newest + b' 0\n'], song.objects.orderBy('year')
    whole = [[markers, 0, [b'1'], [b'5'], [row(1, b'5')], None, 1, [0, 0], []]]
    (obj,), _ = trips(query._all(False), whole)
    assert obj._state.drawn == newest
    # another one began between pks and rows
    first, rows = [[NONE, 0, [b'1'], [b'5'], [], None, 1, [0, 0], []]], [[1], row(1, b'5')]
    (obj,), sent = trips(query._all(False), first, rows, [markers, [1]], whole)
    assert (len(sent), obj._state.drawn) == (4, newest)
    # the match comes late, so it is gathered
    query = song.objects.filter(genre='rock').orderBy('year')[:1]
    late = [[markers, 0, [], [], [], [1, b'500', b'81'], 0, [1, 600], [b'81']]]
    rows = [[1], row(1, b'5')]
    (obj,), _ = trips(query._all(False), late, [markers, [b'1']], [[b'5']], rows, [markers, [1]])
    assert obj._state.drawn == newest


def test_a_long_walk_goes_on_where_it_ended(rock):
    behind = [1, b'500', b'81']
    first = [[NONE, 0, [b'4'], [b'7'], [], behind, 0, [0, 0], behind[2:]]]
    second = [[NONE, 0, [b'9'], [b'800'], [], None, 1, [0, 0], []]]
    rows = [[1, 1], row(4, b'7'), row(9, b'800')]
    objs, sent = trips(rock.orderBy('year')[:2]._all(False), first, second, rows, [NONE, [1, 1]])
    of_rock = {'keys': (GENRE_ROCK,), 'clauses': (1, 1, 1, 1)}
    assert sent[0] == [walk(wanted=2, **of_rock)]
    assert sent[1] == [walk(wanted=1, last=b'7', place=tuple(behind), fields=(), **of_rock)]
    assert pks(objs) == [4, 9]


@pytest.mark.parametrize('part', [slice(None, 3), slice(None)])
def test_an_object_that_moves_on_between_two_steps_is_found_once(rock, part):
    first = [[NONE, 0, [b'4', b'5'], [b'7', b'8'], [], [1, b'500', b'81'], 0, [0, 0], [b'81']]]
    second = [[NONE, 0, [b'9', b'4'], [b'600', b'700'], [], None, 1, [0, 0], []]]
    rows = [[1] * 3, row(5, b'8'), row(9, b'600'), row(4, b'700')]
    ordered = rock.orderBy('year')[part] if part.stop else rock.orderBy('year')
    objs, _ = trips(ordered._all(False), first, second, rows, [NONE, [1, 1]])
    assert pks(objs) == [5, 9, 4]


def test_nothing_found_in_several_steps_is_checked_for_a_reset(rock):
    first = [[NONE, 0, [], [], [], [1, b'500', b'81'], 0, [0, 0], [b'81']]]
    second = [[TOLD, 0, [], [], [], None, 0, [0, 0], []]]
    gone = [TOLD, [0]]
    objs, sent = trips(
        *(rock.orderBy('year')[:2]._all(False), first, second, gone),
        found(b'1', b'2', marker=b'T'),
    )
    assert sent[2] == check(81)
    assert pks(objs) == [1, 2]


def test_matches_that_come_late_are_gathered(rock):
    """The members of the smallest set, and their scores, a few hundred at a time."""
    late = [[NONE, 0, [b'4'], [b'7'], [], [1, b'500', b'81'], 0, [1, 600], [b'81']]]
    members = [b'%d' % pk for pk in range(600, 0, -1)]
    scored = [[b'9'] * 99 + [b'3'] + [b'9'] * 400], [[b'8'] * 100]
    rows = [[1, 1], row(501, b'3'), row(4, b'7')], [NONE, [1, 1]]
    objs, sent = trips(rock.orderBy('year')[:2]._all(False), late, [NONE, members], *scored, *rows)
    asked = [('MGET', SWAPPED, INCARNATIONS), ('SINTER', KEYS, GENRE_ROCK)]
    assert sent[1] == asked
    assert [(name, key, len(some)) for ((name, key, *some),) in sent[2:4]] == [
        ('ZMSCORE', BY_YEAR, 500),
        ('ZMSCORE', BY_YEAR, 100),
    ]
    assert pks(objs) == [501]  # the other one has another score by now


def test_with_more_filters_matches_that_come_late_are_sifted(rock):
    query = rock.filter(genre__ne='pop').orderBy('year')[1:3]
    late = [[TOLD, 1, [b'4'], [b'7'], [], [1, b'500', b'81'], 0, [1, 600], [b'81']]]
    members = [b'%d' % pk for pk in range(1, 601)]
    sifted = [[[b'4', b'9'], [b'7', b'8']]], [[[b'501'], [b'6']]]
    rows = [[1, 1], row(4, b'7'), row(9, b'8')]
    objs, sent = trips(query._all(False), late, [members], *sifted, rows, [TOLD, [1, 1]])
    assert sent[1] == [('SMEMBERS', GENRE_ROCK)]
    _, name, *rest = sent[2][0]
    assert (name, len(sent[2][0]) - len(sent[3][0])) == ('sift', 400)
    assert rest[-502:] == [0, 1, *members[:500]]
    assert sent[3][0][-101:] == (1, *members[500:])
    assert pks(objs) == [4, 9]


def test_a_reset_between_two_steps_begins_again(rock):
    first = [[NONE, 0, [b'4'], [b'7'], [], [1, b'500', b'81'], 0, [0, 0], [b'81']]]
    second = [[TOLD, 0, [b'9'], [b'800'], [], None, 1, [0, 0], []]]
    rows = [[0, 0], row(4, b'7'), row(9, b'800')]
    objs, sent = trips(
        *(rock.orderBy('year')[:2]._all(False), first, second, rows, [TOLD, [0, 0]]),
        found(b'1', b'2', marker=b'T'),
    )
    assert sent[3] == check(4, 81)
    assert sent[4] == sent[0]
    assert pks(objs) == [1, 2]


def test_first_and_last_are_the_ends_of_the_order(song, rock):
    obj, sent = trips(song.objects.orderBy('year')._pick('first', False), found(b'5'))
    assert (obj._id, sent) == (1, [[walk(wanted=1)]])
    _, sent = trips(song.objects.orderBy('year')._pick('last', False), found(b'5'))
    assert sent == [[walk(down=True, wanted=1)]], 'the opposite order, with nulls first'
    # the last one of a part needs the part
    obj, sent = trips(song.objects.orderBy('year')[:3]._pick('last', False), found(b'5', b'6'))
    assert (obj._id, sent) == (2, [[walk(wanted=3)]])


def test_a_count_has_no_order(song, rock):
    query = song.objects.orderBy('year')
    assert trips(query._asked(count), [42]) == (42, [[('SCARD', KEYS)]])
    from IndexedRedis._core.queries.read import count_part

    for part_, expected in ((query[10:20], 10), (query[40:], 2), (query[50:60], 0), (query, 42)):
        assert trips(part_._asked(count_part), [42]) == (expected, [[('SCARD', KEYS)]])
    exists = ('EXISTS', RECORD)
    assert trips(rock[5:]._asked(count_part), [0, 7, 0]) == (
        2,
        [[exists, ('SCARD', GENRE_ROCK), exists]],
    )


def test_by_age_is_by_pk_and_needs_a_walk_for_a_part_only(song):
    query = song.objects.orderBy('-year')
    _, sent = trips(query._all(False, ordered=True), [[[], [], None]])
    assert sent[0][0][:2] == ('EVALSHA', 'find')
    found_, sent = trips(query._primary_keys(True), [[b'10', b'9']])
    assert (found_, sent) == ([9, 10], [[('SMEMBERS', KEYS)]])
    reply = [
        [NONE, 0, [b'9', b'3'], [b'6', b'5'], [row(9, b'6'), row(3, b'5')], None, 1, [0, 0], []]
    ]
    objs, sent = trips(query[:2]._all(False, ordered=True), reply)
    assert sent[0][0][1] == 'walk'
    assert pks(objs) == [3, 9], 'the objects of the part'


# -- without a sorted set ------------------------------------------------------------------------


def test_an_order_by_a_field_without_a_sorted_set_reads_its_values(rock):
    replies = (
        [NONE, [b'3', b'9']],
        [[1, 1], [b'z'], [b'a']],
        [[1, 1], row(9, b'1', b'a'), row(3, b'1', b'z')],
    )
    objs, sent = trips(rock.orderBy('plain')._all(False), *replies, [NONE, [1, 1]])
    assert sent == [
        [MARKERS, ('SINTER', KEYS, GENRE_ROCK)],
        [('SMISMEMBER', KEYS, 3, 9), *(('HMGET', DATA + pk, b'plain') for pk in (b'3', b'9'))],
        [('SMISMEMBER', KEYS, 9, 3), *(('HMGET', DATA + pk, *FIELDS) for pk in (b'9', b'3'))],
        check(3, 9),
    ]
    assert pks(objs) == [9, 3]


def test_a_part_without_an_order_is_by_pk_and_reads_only_its_rows(rock):
    replies = [NONE, [b'9', b'10', b'3']], [[1, 1], row(3, b'1'), row(9, b'1')], [NONE, [1, 1, 1]]
    objs, sent = trips(rock[:2]._all(False), *replies)
    assert sent[0] == [MARKERS, ('SINTER', KEYS, GENRE_ROCK)]
    assert [command[1] for command in sent[1][1:]] == [DATA + b'3', DATA + b'9']
    assert pks(objs) == [3, 9]


def test_too_many_for_an_order_without_a_sorted_set_are_refused(rock, monkeypatch):
    monkeypatch.setattr(part, 'MOST_UNSORTED', 2)
    match = (
        r'Song\.plain is not sorted.*: 3, and at most 2 are read\. Add the field to SORTED_FIELDS '
        r"and call objects\.reindex\(\), or sort the list: all\(\)\.sort_by\('plain'\)"
    )
    with pytest.raises(QueryError, match=match):
        trips(rock.orderBy('plain')._all(False), [NONE, [b'3', b'9', b'10']])


# -- pages ---------------------------------------------------------------------------------------


def page(query, *replies, number=1, size=2, after=None, total=None):
    return trips(query._page(number, size, after, total, False), *replies)


def test_a_page_and_its_total_are_one_trip(song):
    query = song.objects.orderBy('year')
    found_, sent = page(query, [*found(b'5', b'6', b'7'), 42], number=3)
    assert sent == [[walk(skip=4, wanted=3), ('SCARD', KEYS)]]
    assert (pks(found_), found_.total, found_.totalIsExact, found_.pages) == ([1, 2], 42, True, 21)
    assert (found_.number, found_.size, len(found_)) == (3, 2, 2)
    assert repr(found_) == '<Page of 2 objects of 42, more follow>'
    # behind the cursor of the second one
    after, sent = page(query, [*found(b'7'), 42], after=found_.next)
    assert sent == [[walk(wanted=3, place=(1, b'6', b'2')), ('SCARD', KEYS)]]
    assert (after.next, after.number) == (None, None)


def test_a_page_behind_an_object(song):
    place = load(song, 5, year=b'1999')
    _, sent = page(song.objects.orderBy('year'), [*found(b'2000'), 42], after=place)
    assert sent == [[walk(wanted=3, place=(1, b'1999', b'5')), ('SCARD', KEYS)]]
    null = load(song, 5, year=b'IRNullType()')
    _, sent = page(song.objects.orderBy('-year'), [*found(), 42], after=null)
    place, segments = (2, b'inf', b'5'), (OTHERS, NULLS)
    assert sent[0][0] == walk(down=True, wanted=3, segments=segments, place=place)


def test_equal_scores_that_do_not_settle_the_order_are_read_from_the_first_one(song):
    place = load(song, 5, year=b'1999', plain=b'm')
    _, sent = page(song.objects.orderBy('year', 'plain'), [*found(b'2000'), 42], after=place)
    # one more than the page and the object behind it: the object itself comes first
    assert sent[0][0] == walk(settled=0, wanted=4, place=(1, b'1999', b''))


def test_one_equality_has_its_total_for_nothing(rock):
    exists = ('EXISTS', RECORD)
    found_, sent = page(rock.orderBy('year'), [*found(b'5'), 0, 7, 0])
    walked = walk(keys=(GENRE_ROCK,), wanted=3, clauses=(1, 1, 1, 1))
    assert sent == [[walked, exists, ('SCARD', GENRE_ROCK), exists]]
    assert (found_.total, found_.totalIsExact) == (7, True)


def test_two_filters_are_counted_on_request_only(rock):
    query = rock.filter(genre__ne='pop').orderBy('year')
    found_, sent = page(query, found(b'5'))
    assert (found_.total, found_.totalIsExact, found_.pages, len(sent)) == (None, False, None, 1)
    assert len(sent[0]) == 1
    assert repr(found_) == '<Page of 1 objects>'
    counted = [NONE, 0, [b'%d' % n for n in range(8)], [], [], None, 0, [0, 0], []]
    found_, sent = page(query, [*found(b'5'), counted], total=10)
    assert len(sent) == 1
    assert (found_.total, found_.totalIsExact) == (8, True)
    found_, _ = page(query, [*found(b'5'), counted], total=5)
    assert (found_.total, found_.totalIsExact) == (5, False)


def test_a_page_without_an_order_is_by_pk(rock):
    exists = ('EXISTS', RECORD)
    replies = (
        [NONE, [b'9', b'10', b'3'], 0, 3, 0],
        [[1, 1, 1], row(3, b'1'), row(9, b'1'), row(10, b'1')],
        [NONE],
    )
    found_, sent = page(rock, *replies)
    assert sent[0] == [
        *(MARKERS, ('SINTER', KEYS, GENRE_ROCK)),
        *(exists, ('SCARD', GENRE_ROCK), exists),
    ]
    assert (pks(found_), found_.total) == ([3, 9], 3)
    assert found_.next is not None


def test_a_page_goes_on_behind_rows_that_do_not_belong_to_it(song):
    """Of a program that knows no sorted sets, or of objects that were deleted meanwhile."""
    query = song.objects.orderBy('year')
    stale = found(b'5', b'6', b'7', behind=[1, b'7', b'3'])
    stale[0][4][1] = row(2, b'99')
    found_, _ = page(query, [*stale, 42])
    assert pks(found_) == [1, 3]
    _, sent = page(query, [*found(), 41], after=found_.next)
    assert sent[0][0] == walk(wanted=3, place=(1, b'7', b'3'))
    # nothing is left of it
    stale = found(b'5', b'6', b'7', behind=[1, b'7', b'3'])
    stale[0][4][:] = [row(1, b'99')] * 3
    found_, sent = page(query, [*stale, 42], found(b'5', b'6', b'7'))
    assert sent[1] == [walk(wanted=5)]
    assert (pks(found_), bool(found_.next)) == ([1, 2], True)


def test_a_page_goes_on_behind_objects_that_are_deleted_while_it_is_read(song):
    reply = [
        [NONE, 0, [b'1', b'2', b'3'], [b'5', b'6', b'7'], [], [1, b'7', b'3'], 1, [0, 0], [b'3']],
        42,
    ]
    rows = [[1, 0, 1], row(1, b'5'), [None] * 4, row(3, b'7')]
    found_, _ = page(song.objects.orderBy('year'), reply, rows, [NONE])
    assert (pks(found_), bool(found_.next)) == ([1, 3], True)
    # without a sorted set
    replies = (
        [NONE, [b'3', b'9', b'5', b'6'], 0, 4, 0],
        [[1, 0, 1], row(3, b'1'), [None] * 4, row(6, b'1')],
        [NONE],
    )
    found_, _ = page(song.objects.filter(genre='rock'), *replies)
    assert (pks(found_), bool(found_.next)) == ([3, 6], True)


def test_a_page_goes_on_behind_the_place_of_an_object_that_moves_while_it_is_read(song):
    """Else objects between the old place and the new one are lost."""
    reply = [
        [NONE, 0, [b'1', b'2', b'3'], [b'5', b'6', b'7'], [], [1, b'7', b'3'], 1, [0, 0], [b'3']],
        42,
    ]
    rows = [[1, 1, 1], row(1, b'5'), row(2, b'99'), row(3, b'7')]
    query = song.objects.orderBy('year')
    found_, _ = page(query, reply, rows, [NONE])
    _, sent = page(query, [*found(), 42], after=found_.next)
    _, score, pk = place_of(sent[0][0])
    assert (float(score), pk) <= (7.0, b'3')


def place_of(command):
    """Segment, score and member behind which a walk with one segment begins."""
    keys = command[2]
    return command[3 + keys + 10 :][:3]


# -- what works on whole results only --------------------------------------------------------------

WHOLE_ONLY = {
    'filter': lambda query: query.filter(genre='rock'),
    'exclude': lambda query: query.exclude(genre='rock'),
    'filterInline': lambda query: query.filterInline(genre='rock'),
    'orderBy': lambda query: query.orderBy('year'),
    'page': lambda query: query.page(),
    '~': lambda query: ~query,
    '|': lambda query: query | query,
    '&': lambda query: query & query,
    'get': lambda query: query.get(genre='rock'),
    'a write, update': lambda query: query.update(name='x'),
    'a write, delete': lambda query: query.delete(),
    'a write, reindex': lambda query: query.reindex(),
    'a write, convert': lambda query: query.compat_convertHashedIndexes(),
    'countBy': lambda query: query.countBy('genre'),
    'distinctValues': lambda query: query.distinctValues('genre'),
    'reset': lambda query: query.reset([]),
    'check': lambda query: query.check(),
    'repair': lambda query: query.repair(),
    'info': lambda query: query.info(),
    'create': lambda query: query.create(name='x'),
    'getOrCreate': lambda query: query.getOrCreate(genre='x'),
    'updateOrCreate': lambda query: query.updateOrCreate(genre='x'),
}


@pytest.mark.parametrize('name', WHOLE_ONLY)
@pytest.mark.parametrize('cut', [lambda query: query[:5], lambda query: query.orderBy('year')[2:]])
def test_a_part_of_a_result_is_refused(song, name, cut):
    match = r'Song: .*works on a whole result, and this query names a part of one'
    with pytest.raises(UsageError, match=match):
        WHOLE_ONLY[name](cut(song.objects))
    other = song.objects
    if name in '|&':
        with pytest.raises(UsageError, match=match):
            other | cut(other)


def test_an_order_alone_is_no_part(song):
    """Writes and set operators take a whole result, in whatever order."""
    ordered = song.objects.orderBy('year')
    assert (ordered | song.objects)._order == ordered._order
    assert ordered.filter(genre='rock')._order == ordered._order
    _, sent = trips(ordered.filter(genre='rock')._update({'name': 'x'}), [[]])
    assert sent == [[('SINTER', KEYS, GENRE_ROCK)]]
