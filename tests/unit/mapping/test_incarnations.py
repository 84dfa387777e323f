"""Which pks are lost, and which objects remember under which primary theirs was drawn."""

from __future__ import annotations

import copy
import pickle

import pytest

from IndexedRedis import IRField
from IndexedRedis._core.incarnations import drawn_arguments, is_lost, newest
from IndexedRedis._core.links import saving
from IndexedRedis._core.objects import state
from IndexedRedis._core.queries import by_pk, fetch, pick
from IndexedRedis.executors.recording import RecordingExecutor
from unit.build import define, load

A, B, C, D = (letter * 40 for letter in (b'a', b'b', b'c', b'd'))
RECORD = b'%b 300\n%b 100\n%b 0\n' % (C, B, A)
SONG = define('name', IRField('tags', valueType=list))
PLAIN = define('name', name='Plain')


@pytest.mark.parametrize(
    ('drawn', 'pk', 'lost'),
    [
        *((A, 100, False), (A, 101, True), (A, 301, True)),
        *((B, 101, False), (B, 300, False), (B, 301, True)),
        (C, 10**15, False),
        *((D, 100, True), (D, 1, True)),  # listed no more, or never: all others came later
        (b'', 101, False),
    ],
)
def test_a_pk_is_lost_if_a_later_primary_began_below_it(drawn, pk, lost):
    assert is_lost(RECORD, drawn, pk) is lost


@pytest.mark.parametrize('record', [b'', b'junk', b'%b 100' % B, b'\xff\n\n'])
def test_what_is_no_record_says_nothing(record):
    assert not is_lost(record, A, 10**15)


def test_scripts_get_the_highest_pk_of_each_primary():
    assert drawn_arguments([(A, 3), (b'', 9), (B, 2), (A, 7), (A, 5)]) == [2, A, 7, B, 2]
    assert drawn_arguments([]) == [0]
    assert [newest(each) for each in (RECORD, b'', None, b'junk', b'junk 7\n')] == [C, *[b''] * 4]


def saved(model, drawn=A):
    obj = model(name='x')
    executor = RecordingExecutor([[[7, drawn, 1]]])
    executor.run(saving.save(model._validated(), [obj], [None]))
    return obj


@pytest.mark.parametrize('model', [SONG, PLAIN])
def test_a_saved_object_remembers_it(model):
    obj = saved(model)
    assert obj._state.drawn == A
    obj.name = 'y'
    assert (obj._state.drawn, obj._state.stored) == (A, True)
    assert obj.getUpdatedFields() == {'name': ('x', 'y')}
    assert saved(model, b'')._state.drawn == b''


def test_objects_that_were_not_changed_share_what_they_remember():
    one, other = saved(PLAIN), saved(PLAIN)
    assert one._state is other._state
    one.name = 'y'
    assert not other.hasUnsavedChanges()
    assert other._state.changed == {}
    assert saved(PLAIN, b'')._state is load(PLAIN, 7, name=b'x')._state is state.LOADED
    schema = PLAIN._validated()
    fetched = schema.builder(schema.all).objects([8, 9], [[b'x'], [b'z']], bytes(bytearray(A)))
    assert {id(obj._state) for obj in fetched} == {id(other._state)}


INIT = define('name', name='Init', __init__=lambda self, **values: None)
INTS = define(IRField('name', valueType=int), name='Ints')


@pytest.mark.parametrize('model', [SONG, PLAIN, INIT, INTS])
@pytest.mark.parametrize('record', [RECORD, None, b'junk'])
def test_a_fetched_object_remembers_the_newest_id_of_the_record(model, record):
    """The values of INTS cannot be decoded."""
    schema = model._validated()
    row, part = [b'x'] * len(schema.all), schema.all[:1]
    flows = {
        by_pk.get_one(schema, 7, schema.all): [[1, row, [record]]],
        by_pk.get_one(schema, 7, part): [[1, row[:1], [record]]],
        by_pk.get_many(schema, [7, 8], schema.all): [[[1, 0], row, row, [record]]],
        fetch.fetch(model.objects._query): [[[[b'7'], [row], record]]],
        pick.pick(model.objects._query, schema.all, 'first', 0): [[[b'7', row, record]]],
    }
    for flow, replies in flows.items():
        found = RecordingExecutor(replies).run(flow)
        obj = found[0] if isinstance(found, list) else found
        assert (obj._id, obj._state.drawn) == (7, C if record is RECORD else b'')
        obj.name = 'y' if model is not INTS else 1
        assert obj._state.drawn == (C if record is RECORD else b'')


def test_rows_that_were_read_while_an_incarnation_began_are_read_again():
    """They may come from another server than the pks."""
    older, newer, pks = [None, RECORD[-43:]], [None, RECORD], [b'1', b'2']
    rows = [[b'x'], [b'y']]
    replies = [[[]], [older, pks], [*rows, newer], [newer, pks], [*rows, newer]]
    executor = RecordingExecutor(replies)
    found = executor.run(fetch.fetch(PLAIN.objects._query))
    assert len(executor.trips) == 5
    assert [obj._state.drawn for obj in found] == [C, C]


@pytest.mark.parametrize('model', [SONG, PLAIN])
def test_copies_do_not_remember_it(model):
    obj = saved(model)
    copies = [obj.copy(), obj.copy(copyPrimaryKey=True), copy.copy(obj), copy.deepcopy(obj)]
    assert {each._state.drawn for each in copies} == {b''}
    state.forget(obj)
    assert obj._state.drawn == b''


@pytest.mark.parametrize('protocol', range(pickle.HIGHEST_PROTOCOL + 1))
@pytest.mark.parametrize('kind', [state.LOADED, state.FRESH, saved(PLAIN)._state])
def test_a_pickled_state_stays_what_it_is(kind, protocol):
    again = pickle.loads(pickle.dumps(kind, protocol))
    assert again is kind
    own = state.State(True, {'tags': b'x'}, drawn=A)
    again = pickle.loads(pickle.dumps(own, protocol))
    assert (again.stored, again.drawn, again.raw, again.changed) == (True, A, {'tags': b'x'}, {})


def test_a_state_that_was_pickled_before_does_not_know():
    old = state.State()
    values = state.LOADED.__getstate__()
    del values['drawn']
    old.__setstate__(values)
    assert (old.stored, old.drawn) == (True, b'')


def test_an_unknown_outcome_keeps_it():
    obj = SONG(name='x')
    for replies in [ConnectionError('broken')], [[[7, A]], ConnectionError('broken')]:
        with pytest.raises(ConnectionError):
            RecordingExecutor(replies).run(saving.save(SONG._validated(), [obj], [None]))
    executor = RecordingExecutor([[[[1, b'lost', RECORD.replace(b'100', b'6')]]], [[8, C]], [[]]])
    executor.run(saving.save(SONG._validated(), [obj], [None]))
    first, draw, second = (trip[0] for trip in executor.trips)
    assert first[10:16] == (1, 1, A, 7, 1, 7)
    assert draw[1] == 'reserve'
    assert second[10:16] == (1, 1, C, 8, 1, 8)
    assert (obj._id, obj._state.drawn) == (8, C)
