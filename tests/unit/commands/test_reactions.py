"""What flows do about what the server answers. The rule: the test plays the server, so that each
answer, and each failure, comes exactly when it is wanted."""

from __future__ import annotations

import pytest
from redis.exceptions import ConnectionError, OutOfMemoryError, TimeoutError

from IndexedRedis import IRField, errors
from IndexedRedis._core.bulk import delete, redo, reindex
from IndexedRedis._core.flows import AnswerLost
from IndexedRedis._core.links import saving
from IndexedRedis._core.locking import locks
from IndexedRedis._core.queries import fetch
from IndexedRedis._core.resets import swap
from IndexedRedis._core.writes import compare_and_move, update_one
from IndexedRedis._core.writes import delete as delete_rows
from IndexedRedis._core.writes.entry import Entry, Mode
from IndexedRedis.executors.recording import RecordingExecutor
from unit.build import define, load

K = b'_ir_|Song:'
# Replies that hand out pk 7: to a list, and to an object that is not stored by the same script.
RESERVED, DRAWN = [[7, b'']], [[7, b'', 0]]
FAILURES = [ConnectionError('broken'), TimeoutError('late'), OutOfMemoryError('full')]


@pytest.fixture
def song():
    return define('name', IRField('year', valueType=int), indexed=['year'])


def run(flow, *replies):
    """Run a flow against these replies; returns the executor and what the flow gave."""
    executor = RecordingExecutor(replies)
    return executor, executor.run(flow)


def fails(error, flow, *replies):
    executor = RecordingExecutor(replies)
    with pytest.raises(error) as caught:
        executor.run(flow)
    return executor, str(caught.value)


def save(*objs):
    return saving.save(type(objs[0])._validated(), list(objs), [None] * len(objs))


def inserts(executor):
    """Mode and pk of each first row that was written."""
    return [
        (command[6 + command[2]], command[7 + command[2]])
        for trip in executor.trips
        for command in trip
        if command[:2] == ('EVALSHA', 'write')
    ]


def test_a_stale_update_is_sent_again_with_what_is_really_stored(song):
    obj = load(song, 7, name=b'a', year=b'1')
    obj.year = 3
    executor, _ = run(save(obj), [0], [[[1, b'stale', [b'2']]]], [[]])
    short, first, second = (trip[0] for trip in executor.trips)
    assert short[1] == 'update_one'
    assert (first[10], second[10]) == (K + b'idx:year:1', K + b'idx:year:2')
    assert b'=1' in first
    assert b'=2' in second
    assert not obj.hasUnsavedChanges()


def test_a_change_of_very_many_fields_takes_the_script_that_cuts_them():
    names = [f'field{number}' for number in range(update_one.FIELDS_IN_ONE_COMMAND + 1)]
    obj = load(define(*names), 7, **dict.fromkeys(names, b'a'))
    for count, script in (len(names), 'write'), (len(names) - 1, 'update_one'):
        for name in names[:count]:
            setattr(obj, name, f'{getattr(obj, name)}b')
        executor, _ = run(save(obj), [[]] if script == 'write' else [1])
        assert executor.trips[0][0][1] == script


def test_an_absent_field_is_believed_to_be_absent(song):
    obj = load(song, 7, name=b'a', year=b'1')
    obj.year = 3
    executor, _ = run(save(obj), [0], [[[1, b'stale', [None]]]], [[]])
    assert b'-' in executor.trips[2][0]


def test_a_write_under_a_given_pk_leaves_the_index_set_of_an_absent_field(song):
    """Where nothing is stored in a field, a reindex has listed the object under the default."""
    executor, _ = run(save(song(_id=7, name='a', year=1)), [[]])
    command = executor.trips[0][0]
    assert command[10:12] == (K + b'idx:year:IRNullType()', K + b'idx:year:1')
    assert command[12:19] == (1, 0, 1, 7, 'put', 1, b'year')


def test_an_object_that_is_gone_is_not_resurrected(song):
    obj = load(song, 7, name=b'a', year=b'1')
    obj.year = 3
    executor, text = fails(errors.ObjectGoneError, save(obj), [0], [[[1, b'gone']]])
    assert len(executor.trips) == 2
    assert 'pk 7' in text
    assert obj.getPk() == 7
    assert obj.hasUnsavedChanges()


def test_a_key_of_another_type_is_named(song):
    _, text = fails(
        errors.WrongKeyTypeError,
        save(song(name='a', year=1)),
        *(DRAWN, [[[0, b'type', K + b'idx:year:1', b'string']]]),
    )
    assert 'idx:year:1' in text
    assert 'string' in text


def test_a_pk_that_a_stranger_took_is_given_up(song):
    obj = song(name='a', year=1)
    executor, pks = run(save(obj), DRAWN, [[[1, b'taken']]], [[8, b'']], [[]])
    assert inserts(executor) == [(7, 'insert'), (8, 'insert')]
    assert pks == [8] == [obj.getPk()]


def test_writers_that_are_always_faster_are_an_error_in_the_end(song, monkeypatch):
    monkeypatch.setattr(compare_and_move, 'ROUNDS', 5)
    monkeypatch.setattr(delete_rows, 'ROUNDS', 5)
    obj = load(song, 7, name=b'a', year=b'1')
    obj.year = 3
    stale = [[[1, b'stale', [b'2']]]]
    executor, text = fails(errors.ConflictError, save(obj), [0], *[stale] * 5)
    assert text.endswith('while they were being saved. Nothing was written; try again.')
    assert len(executor.trips) == 1 + 5
    assert obj.hasUnsavedChanges()
    removal = delete.delete_objects(song._validated(), [obj])
    _, text = fails(errors.ConflictError, removal, *[stale] * 5)
    assert text.endswith('being deleted. Try again.')
    assert obj.getPk() == 7


def test_a_conflict_in_a_committed_write_says_that_the_write_goes_on(song, monkeypatch):
    monkeypatch.setattr(compare_and_move, 'ROUNDS', 5)
    monkeypatch.setattr(delete_rows, 'ROUNDS', 5)
    schema, step = song._validated(), compare_and_move.Step(b'left', b'T')
    entry = Entry(schema, 7, Mode.UPDATE, {'year': b'3'}, {'year': b'1'})
    stale = [[[1, b'stale', [b'2']]]]
    _, saved = fails(errors.ConflictError, compare_and_move.write_step([entry], step), *[stale] * 5)
    flow = delete_rows.delete_rows(schema, {7: [b'1']}, step=step)
    _, deleted = fails(errors.ConflictError, flow, *[stale] * 5)
    for text in (saved, deleted):
        assert 'The list is committed' in text
        assert 'Nothing was written' not in text


@pytest.mark.parametrize('failure', FAILURES, ids=lambda error: type(error).__name__)
def test_a_failed_insert_is_tried_again_at_the_same_pk(song, failure):
    obj = song(name='a', year=1)
    sent, _ = fails(type(failure), save(obj), failure)
    assert (obj.getPk(), obj.hasUnsavedChanges(), obj.name) == (None, True, 'a')
    executor, pks = run(save(obj), RESERVED, [[]])
    (draw,), (repeat, _) = sent.trips[0], [trip[0] for trip in executor.trips]
    note, number = draw[6], draw[3 + draw[2]]
    assert (repeat[1], repeat[6], repeat[-1]) == ('reserve', note, number)
    assert inserts(executor) == [(7, 'insert')]
    assert pks == [7] == [obj.getPk()]


@pytest.mark.parametrize('failure', FAILURES, ids=lambda error: type(error).__name__)
def test_nothing_in_memory_changes_when_an_update_fails(song, failure):
    obj = load(song, 7, name=b'a', year=b'1')
    obj.year = 3
    before = dict(obj.__dict__), obj.getUpdatedFields(), obj._origData
    fails(type(failure), save(obj), failure)
    assert (dict(obj.__dict__), obj.getUpdatedFields(), obj._origData) == before
    fails(type(failure), delete.delete_objects(song._validated(), [obj]), failure)
    assert (dict(obj.__dict__), obj.getUpdatedFields(), obj._origData) == before


def test_an_insert_that_may_have_worked_writes_only_what_changed_since(song):
    obj = song(name='a', year=1)
    fails(TimeoutError, save(obj), TimeoutError('late'))
    obj.name = 'b'
    executor, _ = run(save(obj), RESERVED, [[[1, b'taken']]], [[]])
    assert executor.trips[2][0][-6:] == (7, 'update', 0, 1, b'name', b'b')
    assert not obj.hasUnsavedChanges()


def test_a_value_changed_and_changed_back_between_two_lost_answers_is_written(song):
    obj = song(name='a', year=1)
    fails(TimeoutError, save(obj), TimeoutError('late'))
    obj.name = 'b'
    fails(TimeoutError, save(obj), RESERVED, TimeoutError('late'))
    obj.name = 'a'
    executor, _ = run(save(obj), [[[1, b'taken']]], [[]])
    assert executor.trips[1][0][-6:] == (7, 'update', 0, 1, b'name', b'a')


@pytest.mark.parametrize('count', [1, 3])
def test_an_insert_whose_answer_was_lost_leaves_later_changes_of_others_alone(song, count):
    objs = [song(name='a', year=1) for _ in range(count)]
    problems = [[[number, b'taken'] for number in range(1, count + 1)]]
    lost = [RESERVED, AnswerLost()] if count > 1 else [AnswerLost(), RESERVED]
    executor, pks = run(save(*objs), *lost, problems, [[]])
    assert executor.trips[-1][0][-4 * count :] == tuple(
        part for pk in pks for part in (pk, 'update', 0, 0)
    )
    assert pks == list(range(7, 7 + count)) == [obj.getPk() for obj in objs]


def test_a_delete_takes_in_what_is_really_stored(song):
    obj = load(song, 7, name=b'a', year=b'1')
    removal = delete.delete_objects(song._validated(), [obj])
    executor, _ = run(removal, [[[1, b'stale', [b'2']]]], [1])
    assert executor.trips[1][0][8] == K + b'idx:year:2'


def test_a_filtered_delete_spares_what_does_not_match_any_more(song):
    query = song.objects.filter(year=1)._query
    executor, count = run(
        delete.delete_matching(query),
        *([[b'7', b'8']], [[1, 1], [b'1'], [b'1']], [[[2, b'stale', [b'2']]]], [1]),
    )
    first, second = (trip[0] for trip in executor.trips[2:])
    assert first[-7:] == (b'7', b'8', b'=1', b'=1', 2, b'7', b'8')
    assert second[-8:] == (1, 1, b'year', 0, b'7', b'=1', 1, b'7')
    assert count == 1


def test_chunks_of_a_filtered_delete_are_each_asked_for_and_deleted(song, monkeypatch):
    monkeypatch.setattr(delete, 'CHUNK', 2)
    pks = [b'1', b'2', b'3', b'4', b'5']
    one, other = [b'1'], [b'2']
    executor, count = run(
        delete.delete_matching(song.objects.filter(year=1)._query),
        [pks],
        *([[1, 1], one, one], [[[1, b'stale', other]]], [1]),  # the first was changed meanwhile
        *([[1, 0], one, [None]], [1]),  # the fourth is gone: its entries leave
        *([[1], one], [1]),
    )
    assert count == 3
    scripts = [trip[0] for trip in executor.trips if trip[0][0] == 'EVALSHA']
    # Of what is gone, the set of those without a year may list it, too.
    assert [command[-2:] for command in scripts] == [
        *((b'1', b'2'), (1, b'2')),
        *((1, b'4'), (1, b'5')),
    ]


def chunked(rows, note):
    """The replies by which 101 rows come, the note of swaps with the last."""
    return rows[:32], rows[32:96], [*rows[96:], [note, None]]


def test_a_reader_asks_again_when_rows_went_away_under_it(song):
    pks = [b'%d' % pk for pk in range(1, 102)]
    row, gone = [b'a', b'1'], [None, None]
    first = [[pks, [None, None]]], *chunked([*[row] * 100, gone], None)
    again = [[None, None], pks[:100]], *chunked([row] * 100, None)
    executor, found = run(fetch.fetch(song.objects._query), *first, *again)
    assert len(executor.trips) == 8
    assert len(found) == 100


def test_a_reader_asks_again_when_a_reset_replaced_rows_in_place(song):
    pks = [b'%d' % pk for pk in range(1, 102)]
    old, new = [b'a', b'1'], [b'b', b'1']
    first = [[pks, [b'T1', None]]], *chunked([*[old] * 50, *[new] * 51], b'T2')
    again = [[b'T2', None], pks], *chunked([new] * 101, b'T2')
    _, found = run(fetch.fetch(song.objects._query), *first, *again)
    assert {obj.name for obj in found} == {'b'}


def test_a_reader_whom_resets_outrun_takes_all_in_one_moment(song):
    pks = [b'%d' % pk for pk in range(1, 102)]
    rows = [[b'a', b'1']] * 101
    tries = [
        reply
        for n in range(fetch.READ_ATTEMPTS)
        for reply in ([[b'%d' % n, None], pks], *chunked(rows, b'%d' % (n + 1)))
    ]
    executor, found = run(fetch.fetch(song.objects._query), [[]], *tries, [[pks, rows, None]])
    assert executor.trips[-1][0][1] == 'find'
    assert len(found) == 101


def test_reindex_passes_over_what_is_gone_meanwhile(song):
    answers = [[b'0', [b'7', b'8']]], [[1, 1], [b'1'], [b'2']], [[[1, b'gone']]], [[]]
    executor, _ = run(reindex.reindex_matching(song.objects._query), *answers)
    assert inserts(executor) == [(7, 'update'), (8, 'update')]


def test_a_reset_that_lost_its_lock_says_so_and_cleans_up(song):
    flow = swap.reset_all([(song._validated(), [song(name='a')])], b'T', lambda obj: None)
    start = [b'OK', b'T'], [1, [b'T']], RESERVED
    lost = [0, None, b'lost', None]
    sweep = [[b'0', []]], [[b'7 1']], [[]], [[b'0', []]], [[]], [1, 1], [0, 1]
    executor, text = fails(errors.ResetLostError, flow, *start, lost, *sweep)
    assert 'Nothing was changed' in text
    assert executor.trips[-1][1][:2] == ('EVALSHA', 'release')
    assert not any('swap' in command for trip in executor.trips for command in trip)


def test_a_list_that_meets_a_key_of_another_type_says_which(song):
    """Somebody made it after the first look: no lock was lost."""
    owner = locks.LockOwner(song._validated(), b'T')
    key = owner.schema.keys.all
    for flow, found in (
        (redo.store_left(owner, {7: b'x'}, ('HOLD',)), [1, None, [key, b'list'], None, None, None]),
        (redo.commit([owner]), [None, [key, b'list'], None, None, None]),
    ):
        _, text = fails(errors.WrongKeyTypeError, flow, found)
        assert f'the key {key!r} holds a list' in text


def test_a_reset_stages_over_nobodys_object(song):
    flow = swap.reset_all([(song._validated(), [song(name='a')])], b'T', lambda obj: None)
    start = [b'OK', b'T'], [1, [b'T']], RESERVED
    sweep = [[b'0', []]], [[b'7 1']], [[]], [[b'0', []]], [[]], [1, 1], [0, 1]
    stored = [[1, None, b'taken', None]] * swap.CLAIMS
    executor, text = fails(errors.ConflictError, flow, *start, *stored, *sweep)
    assert 'Nothing was changed' in text
    assert not any('swap' in command for trip in executor.trips for command in trip)


def test_a_bulk_insert_over_somebodys_object_is_stored_by_comparing(song):
    flow = saving.save(song._validated(), [song(name='a'), song(name='b')], [None, None])
    taken = [[[1, b'taken']]]
    executor, pks = run(flow, RESERVED, [0], taken, [[9, b'']], [[]])
    assert [trip[0][1] for trip in executor.trips] == [
        *('reserve', 'insert', 'write', 'reserve', 'write'),
    ]
    assert pks == [9, 8]


def test_a_reset_waits_for_another_and_gives_up_with_a_clear_error(song, monkeypatch):
    monkeypatch.setattr(locks, 'WAIT_SECONDS', 0.2)
    flow = swap.reset_all([(song._validated(), [])], b'T', lambda obj: None)
    waiting = [[None, b'other']] * 5
    executor, text = fails(errors.ResetInProgressError, flow, *waiting, [0, 0])
    assert executor.trips[-1][1][:2] == ('EVALSHA', 'release')
    assert [trip[0][0] for trip in executor.trips[:-1]] == ['SET'] * 5
    assert 'another write of many objects' in text


def test_a_reset_is_done_even_if_its_cleaning_up_fails(song):
    flow = swap.reset_all([(song._validated(), [])], b'T', lambda obj: None)
    start = [b'OK', b'T'], [1, [b'T']], [None], [None], [0]
    broken = ConnectionError('broken')
    executor, pks = run(flow, *start, [b'done', [b'']], broken, broken)
    assert pks == [[]]
    assert executor.trips[-2][0][0] == 'SSCAN'


def test_a_lock_that_was_taken_before_its_turn_is_given_back(song):
    """Of three models, somebody holds the second."""
    names = 'Band', 'Live', 'Song'
    owners = [locks.LockOwner(define('x', name=name)._validated(), b'T') for name in names]
    mine, others = [b'OK', b'T'], [None, b'other']

    def nothing():
        yield from ()

    executor, _ = run(
        locks.locked(owners[::-1], nothing()),
        *([*mine, *others, *mine], [0, 1], [*others, 1], [*mine, 1], [*mine, 1], [0, 1] * 3),
    )
    first, back, *turns, last = executor.trips
    lock = '_ir_|{}:tmp:lock'.format
    assert [command[1] for command in first[::2]] == [lock(name).encode() for name in names]
    assert [command[3] for command in back if command[1] == 'release'] == [lock('Song').encode()]
    assert [turn[0][1] for turn in turns] == [
        lock(name).encode() for name in ('Live', 'Live', 'Song')
    ]
    assert sum(command[1] == 'release' for command in last) == 3
