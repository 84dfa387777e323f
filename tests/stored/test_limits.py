"""Large things. The rule: what Redis can hold goes through, whole; what it cannot hold is told
before anything is written."""

from __future__ import annotations

import pytest
from support import servers
from support.keyspace import dump

from IndexedRedis import IRField
from IndexedRedis.fields import IRCompressedField, IRRawField

pytestmark = pytest.mark.large

MIB = 2**20
HUGE = 50 * MIB
MANY = 100_000


def test_a_value_of_50_MiB(make_model, full):
    """In a row and in a hashed index; a tenth of it without `--full`."""
    model = make_model(['name', IRField('data', hashIndex=True)], indexed=['name', 'data'])
    data, other = (text * (HUGE if full else HUGE // 10) for text in 'ab')
    obj = model(name='huge', data=data)
    assert obj.save() == [1]
    assert model.objects.filter(data=data).all()[0].data == data
    obj.data = other
    obj.save()
    assert model.objects.filter(data=data).count() == 0
    assert model.objects.filter(data=other).count() == 1
    assert model.reset([model(name='new', data=data)]) == [2]
    assert model.objects.first().data == data
    assert model.objects.filter(name='new').delete() == 1


def test_a_compressed_value_within_its_bound_comes_back(make_model):
    model = make_model(['name', IRCompressedField('data'), IRRawField('raw')])
    data = bytes(HUGE)
    model(name='x', data=data, raw=b'r').save()
    found = model.objects.get(1)
    assert found.data == data
    assert found.raw == b'r'


def test_a_value_that_the_server_refuses_leaves_nothing(make_model, new_server):
    """A server may take no more than 512 MB at once; here it is told to take 1 MB."""
    server = new_server(proto_max_bulk_len='1mb')
    model = make_model(['name']).connectAlt(server.params)
    obj = model(name='x' * 2 * MIB)
    for save in (obj.save, lambda: model.saver.save([model(name='y'), obj])):
        with pytest.raises(Exception, match=r'(?i)bulk|closed|reset|broken'):
            save()
    with server.client() as client:
        assert set(dump(client)) <= {f'_ir_|{model.KEY_NAME}:next'.encode()}
    obj.name = 'small'
    obj.save()
    assert [found.name for found in model.objects.all()] == ['small']


def test_100_000_objects_in_one_call(make_model, server, raw, full):
    """Saved, changed, deleted by a filter, replaced; a tenth of them without `--full`."""
    many = MANY if full else MANY // 10
    if server.kind != servers.present()[-1]:
        pytest.skip('the largest test of all runs on one kind of server')
    model = make_model(['name', IRField('n', valueType=int)], indexed=['n'])
    pks = model.saver.save([model(name=str(n), n=n % 1000) for n in range(many)])
    assert pks == list(range(1, many + 1))
    assert raw.scard(f'_ir_|{model.KEY_NAME}:keys') == model.objects.count() == many
    assert model.objects.filter(n__ne=7).delete() == many - many // 1000
    assert [obj.name for obj in model.objects.allByAge()] == [str(n) for n in range(7, many, 1000)]
    objs = [model(name=str(n), n=n % 1000) for n in range(many)]
    assert model.reset(objs) == list(range(many + 1, 2 * many + 1))
    assert len(model.objects.filter(n=7).all()) == many // 1000
    found = model.objects.all()
    assert len(found) == many
    for obj in found:
        obj.n = 1
    model.saver.save(found)
    assert model.objects.filter(n=1).count() == many
    assert model.deleter.deleteMultiple(found) == many
