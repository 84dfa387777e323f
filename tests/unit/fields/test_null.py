"""irNull. The rule: there is one, whatever happens to it, and it equals nothing else."""

from __future__ import annotations

import copy
import datetime
import operator
import pickle

import pytest

from IndexedRedis import IR_NULL_STR, IRNullType, irNull
from IndexedRedis.fields import null

OTHERS = ['', b'', None, False, 0, 0.0, [], (), {}, 'IRNullType()', b'IRNullType()', 'irNull']


@pytest.mark.parametrize(
    'twin',
    [
        copy.copy(irNull),
        copy.deepcopy(irNull),
        copy.deepcopy({'x': [irNull]})['x'][0],
        IRNullType(),
        IRNullType('text'),
        null.irNull,
        *(pickle.loads(pickle.dumps(irNull, p)) for p in range(pickle.HIGHEST_PROTOCOL + 1)),
        *(pickle.loads(pickle.dumps([irNull], p))[0] for p in range(6)),
    ],
)
def test_every_copy_is_the_same_object(twin):
    assert twin is irNull


def test_a_null_pickled_as_an_instance_loads_as_the_same_object():
    # What a class without a `__reduce__` of its own, as that of 6.0.3, left in pickles.
    stored = b'\x80\x02cIndexedRedis.fields.null\nIRNullType\nX\x00\x00\x00\x00\x85\x81.'
    assert pickle.loads(stored) is irNull


@pytest.mark.parametrize('other', OTHERS, ids=repr)
def test_it_equals_nothing_else_on_either_side(other):
    assert operator.eq(irNull, other) is False
    assert operator.eq(other, irNull) is False
    assert operator.ne(irNull, other) is True
    assert operator.ne(other, irNull) is True


def test_it_equals_itself():
    assert operator.eq(irNull, IRNullType()) is True
    assert operator.ne(irNull, IRNullType()) is False


def test_it_is_falsy_empty_and_text():
    assert bool(irNull) is False
    assert len(irNull) == 0
    assert isinstance(irNull, str)
    assert (str(irNull), f'{irNull}', repr(irNull)) == ('', '', 'irNull')


def test_it_is_hashable_and_distinct_in_sets_and_dicts():
    assert {irNull, '', IRNullType()} == {'', irNull}
    assert len({irNull, '', None, False}) == 4
    assert '' not in {irNull}
    assert {'': 1}.get(irNull) is None


def test_it_compares_with_text_as_the_empty_text():
    assert irNull < 'a'
    assert irNull < 'a'
    assert irNull <= ''


@pytest.mark.parametrize('other', [0, 1.5, None, datetime.datetime(2020, 1, 1)], ids=repr)
def test_it_has_no_order_among_other_types(other):
    for pair in ((irNull, other), (other, irNull)):
        with pytest.raises(TypeError):
            operator.lt(*pair)


def test_the_names_of_its_stored_form():
    assert IR_NULL_STR == null.IR_NULL_UNICODE == 'IRNullType()'
    assert null.IR_NULL_BYTES == b'IRNullType()'
    assert set(null.IR_NULL_STRINGS) == {'IRNullType()', b'IRNullType()'}


def test_it_takes_no_attributes():
    with pytest.raises(AttributeError):
        irNull.note = 1
