"""Pickle fields. The rule: with an allow list, nothing but it and plain built-in types is made."""

from __future__ import annotations

import collections
import datetime
import os
import pickle
import queue

import pytest

from IndexedRedis import UnreadableValueError, irNull
from IndexedRedis.fields import IRFieldChain, IRPickleField
from unit.build import define, load


class Point:
    def __init__(self, x):
        self.x = x

    def __eq__(self, other):
        return isinstance(other, Point) and self.x == other.x

    __hash__ = None


class Other(Point):
    pass


class Attack:
    """Runs a command where it is unpickled."""

    def __init__(self, *call):
        self.call = call

    def __reduce__(self):
        return self.call[0], self.call[1:]


def fetched(stored, **properties):
    return load(define(IRPickleField('data', **properties)), 7, data=stored).data


PLAIN = [
    *(None, True, 5, 2.5, 'é', b'\x00\xff', 2 + 3j, (1, b'x'), {1, 2}, frozenset('a')),
    *(bytearray(b'ab'), range(3), [{'a': [b'\xff', {3}]}], slice(1, 2)),
]


@pytest.mark.parametrize('value', PLAIN, ids=repr)
@pytest.mark.parametrize('protocol', range(pickle.HIGHEST_PROTOCOL + 1))
def test_plain_values_need_no_permission(value, protocol):
    found = fetched(pickle.dumps(value, protocol), allow=[])
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize('value', PLAIN, ids=repr)
@pytest.mark.parametrize('allow', [None, []], ids=['all', 'none'])
def test_what_is_written_is_protocol_2(value, allow):
    field = IRPickleField('data', allow=allow)
    assert field.toStorage(value) == pickle.dumps(value, 2)
    assert field.fromStorage(field.toStorage(value)) == value


def test_a_class_has_to_be_allowed():
    stored = pickle.dumps([Point(3)], 2)
    assert fetched(stored) == fetched(stored, allow=[Point]) == [Point(3)]
    for allow in ([], [Other]):
        with pytest.raises(UnreadableValueError, match=r'Song\.data .* pk 7.*\.Point is not in'):
            fetched(stored, allow=allow)


def test_classes_of_others_can_be_allowed():
    value = collections.OrderedDict(day=datetime.date(2015, 5, 12))
    stored = pickle.dumps(value, 2)
    allowed = [collections.OrderedDict, datetime.date]
    assert fetched(stored, allow=allowed) == value
    with pytest.raises(UnreadableValueError, match=r'datetime\.date is not in'):
        fetched(stored, allow=allowed[:1])


@pytest.mark.parametrize('protocol', range(2, pickle.HIGHEST_PROTOCOL + 1))
@pytest.mark.parametrize('value', [collections.UserDict(a=1), queue.Empty(), KeyError(1)], ids=repr)
def test_classes_whose_names_python_2_spelled_otherwise_can_be_allowed(value, protocol):
    stored = pickle.dumps(value, protocol)
    assert type(fetched(stored, allow=[type(value)])) is type(value)
    with pytest.raises(UnreadableValueError, match='is not in the allow list'):
        fetched(stored, allow=[Point])


@pytest.mark.parametrize('protocol', range(pickle.HIGHEST_PROTOCOL + 1))
def test_code_is_not_run(protocol, tmp_path):
    mark = tmp_path / 'ran'
    stored = pickle.dumps(Attack(os.system, f'touch {mark}'), protocol)
    assert fetched(stored) == 0
    assert mark.exists()  # so the attack works, where all is allowed
    mark.unlink()
    with pytest.raises(UnreadableValueError, match='system is not in the allow list'):
        fetched(stored, allow=[Point])
    assert not mark.exists()


@pytest.mark.parametrize(
    'call',
    [(eval, '1'), (getattr, Point, 'x'), (__import__, 'os'), (open, '/dev/null'), (type, 1)],
    ids=lambda call: call[0].__name__,
)
def test_functions_among_the_builtins_are_not_plain(call):
    with pytest.raises(UnreadableValueError, match='is not in the allow list'):
        fetched(pickle.dumps(Attack(*call), 2), allow=[Point])


def test_a_path_through_an_allowed_class_is_not_allowed():
    stored = (
        b'\x80\x04\x8c' + bytes([len(__name__)]) + __name__.encode() + b'\x8c\x09Point.__init__'
    )
    stored = stored.replace(b'\x8c\x09', b'\x8c\x0e') + b'\x93.'
    assert pickle.loads(stored) is Point.__init__
    with pytest.raises(UnreadableValueError, match=r'Point\.__init__ is not in'):
        fetched(stored, allow=[Point])


@pytest.mark.parametrize('codec', ['rot13', 'zlib', 'utf-8'])
def test_bytes_are_spelled_in_one_codec_only(codec):
    stored = b'\x80\x02c_codecs\nencode\nX\x01\x00\x00\x00aX' + bytes([len(codec), 0, 0, 0])
    with pytest.raises(UnreadableValueError, match='codec'):
        fetched(stored + codec.encode() + b'\x86R.', allow=[])


@pytest.mark.parametrize('stored', [b'x', b'\x80\x02]q', b'\x80\x02cnowhere\nNothing\n.'], ids=repr)
@pytest.mark.parametrize('allow', [None, []], ids=['all', 'none'])
def test_what_is_no_pickle_cannot_be_read(stored, allow):
    with pytest.raises(UnreadableValueError, match=r'Song\.data of the object with pk 7'):
        fetched(stored, allow=allow)


def test_None_is_a_value_and_irNull_is_null():
    model = define(IRPickleField('data'))
    obj = model(data=None)
    assert obj.data is None
    assert obj.asDict(forStorage=True)['data'] == b'\x80\x02N.'
    assert model().data is load(model, data=b'IRNullType()').data is irNull
    assert load(model, data=b'\x80\x02N.').data is None


def test_a_change_in_place_is_noticed():
    obj = load(define(IRPickleField('data')), data=pickle.dumps({'a': [1]}, 2))
    assert not obj.hasUnsavedChanges()
    obj.data['a'].append(2)
    assert obj.getUpdatedFields() == {'data': ({'a': [1]}, {'a': [1, 2]})}


def test_it_cannot_be_indexed_and_neither_can_a_chain_of_it():
    assert not IRPickleField('data').CAN_INDEX
    assert not IRFieldChain('data', [IRPickleField(allow=[])]).CAN_INDEX


def test_a_copy_keeps_the_list():
    assert IRPickleField('data', allow=[Point]).copy().allow == (Point,)
