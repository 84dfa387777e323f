"""Members of sets that are no primary keys. The rule: one error says which set and which member,
nothing is written, and what its text advises helps."""

from __future__ import annotations

import re

import pytest
from support.keyspace import dump

import IndexedRedis as IR
from IndexedRedis import InvalidPrimaryKeyError
from IndexedRedis._core.queries.sources import one

pytestmark = [pytest.mark.damaged, pytest.mark.names_keys]
ALL, RED = '_ir_|Odd:keys', '_ir_|Odd:idx:colour:red'
READS = {
    'all': lambda query: query.all(),
    'allByAge': lambda query: query.allByAge(),
    'allOnlyFields': lambda query: query.allOnlyFields(['name']),
    'getPrimaryKeys': lambda query: query.getPrimaryKeys(),
    'first': lambda query: query.first(),
    'last': lambda query: query.last(),
}
WRITES = {
    'reindex': lambda model: model.objects.reindex(),
    'reindex what matches': lambda model: model.objects.filter(colour='red').reindex(),
    'delete': lambda model: model.objects.delete(),
    'delete what matches': lambda model: model.objects.filter(colour='red').delete(),
    'convert': lambda model: model.objects.compat_convertHashedIndexes(),
    'resetChanged': lambda model: IR.resetChanged([(model, [model(name='1')])], {model: 'name'}),
    'resetChanged by another key': lambda model: IR.resetChanged(
        [(model, [model(colour='red')])], {model: 'colour'}
    ),
}


@pytest.fixture
def odd(make_model, raw):
    """Twelve stored objects, and a member that is no number among all pks and in an index set."""
    model = make_model(['name', 'colour'], indexed=['name', 'colour'], key_name='Odd')
    model.saver.save([model(name=str(n), colour='red') for n in range(12)])
    for key in (ALL, RED):
        raw.sadd(key, 'seven')
    return model


@pytest.fixture(params=['small', 'in chunks'])
def result(request, monkeypatch):
    """Whether a script answers, or pks come first and rows after them."""
    if request.param == 'in chunks':
        monkeypatch.setattr(one, 'FIND_MEMBERS_OF_ONE_SET', 5)
        monkeypatch.setattr(one, 'PICK_MEMBERS', 5)


def complaint(model, *keys):
    lists = '|'.join(map(re.escape, keys))
    return rf"^{model.__name__}: ({lists}) lists 'seven', .*{model.__name__}\.objects\.repair\(\)"


@pytest.mark.parametrize('read', READS)
@pytest.mark.parametrize('filters', [{}, {'colour': 'red'}, {'name__ne': 'x'}], ids=repr)
def test_a_read_says_which_member_of_which_set(odd, result, read, filters):
    with pytest.raises(InvalidPrimaryKeyError, match=complaint(odd, ALL, RED)) as caught:
        READS[read](odd.objects.filter(**filters))
    assert isinstance(caught.value, ValueError)
    assert odd.objects.repair().ok
    assert READS[read](odd.objects.filter(**filters))


@pytest.mark.plain_model
@pytest.mark.parametrize('write', WRITES)
def test_a_write_says_so_and_writes_nothing(odd, raw, write):
    raw.incrby('_ir_|Odd:next', 0)
    before = {key: value for key, value in dump(raw).items() if b':next' not in key}
    with pytest.raises(InvalidPrimaryKeyError, match=complaint(odd, ALL, RED)):
        WRITES[write](odd)
    after = {key: value for key, value in dump(raw).items() if b':next' not in key}
    assert after == before
    assert odd.objects.repair().ok
    WRITES[write](odd)


def test_the_member_of_an_index_set_is_found_where_only_that_lists_it(odd, raw):
    raw.srem(ALL, 'seven')
    assert odd.objects.filter(colour='red').count() == 13
    assert len(odd.objects.filter(colour='red').all()) == 12
    with pytest.raises(InvalidPrimaryKeyError, match=complaint(odd, RED)):
        odd.objects.filter(colour='red').delete()
    assert odd.objects.repair().repaired == {'entry_gone': 1}
    assert odd.objects.filter(colour='red').delete() == 12


@pytest.mark.parametrize('member', ['', ' ', 'x' * 200, b'\xff\x00', '9' * 5000, '1e3', '0x10'])
def test_whatever_the_member_holds(odd, raw, member):
    raw.srem(ALL, 'seven')
    raw.sadd(ALL, member)
    for name in ('all', 'getPrimaryKeys'):
        with pytest.raises(InvalidPrimaryKeyError, match=re.escape(f'{ALL} lists ')) as caught:
            READS[name](odd.objects)
        assert len(str(caught.value)) < 300
    assert odd.objects.random()._id in range(1, 13)
    assert odd.objects.repair().ok
    assert len(odd.objects.all()) == 12
