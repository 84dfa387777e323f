"""``compat_convertHashedIndexes``. The rule: whatever hashIndex was before, each object is
afterwards in the index set that fits the model now, of each of its fields, and in no other."""

from __future__ import annotations

import pytest

from IndexedRedis import IRField, irNull
from IndexedRedis.fields import IRBase64Field, IRFieldChain, IRFixedPointField

WAYS = {
    'all at once': lambda model: model.objects.compat_convertHashedIndexes(),
    'one by one': lambda model: model.objects.compat_convertHashedIndexes(fetchAll=False),
    'objects': lambda model: model.saver.compat_convertHashedIndexes(model.objects.all()),
    'filtered': lambda model: sum(
        model.objects.filter(**by).compat_convertHashedIndexes()
        for by in ({'price': 1}, {'price__ne': 1})
    ),
}
INDEXED = ['artist', 'title', 'year', 'chain', 'data', 'price']


@pytest.fixture(params=[True, False], ids=['to hashed', 'to plain'])
def now(request):
    return request.param


@pytest.fixture
def make(make_model):
    """A model of the same key, with these fields hashed or not."""

    def make(artist, title, year, chain):
        fields = [
            IRField('artist', hashIndex=artist),
            IRField('title', hashIndex=title),
            IRField('year', valueType=int, hashIndex=year),
            IRFieldChain('chain', [IRField, IRField], hashIndex=chain),
            IRBase64Field('data'),
            IRFixedPointField('price', decimalPlaces=2),
            'plain',
        ]
        return make_model(fields, indexed=INDEXED, key_name='Converted')

    return make


def fill(model, count=6):
    objs = [
        model(
            artist=f'artist {n % 2}',
            title=f'é:{n}',
            year=n,
            chain='x' if n % 3 else irNull,
            data=b'%d' % n,
            price=n % 2,
            plain=str(n),
        )
        for n in range(1, count + 1)
    ]
    return model.saver.save([*objs, model()])


@pytest.mark.damaged  # until they are converted, entries do not fit the model
@pytest.mark.parametrize('way', WAYS)
def test_every_field_in_both_directions(make, check, now, way):
    fill(make(*[not now] * 4))
    model = make(*[now] * 4)
    assert model.objects.filter(artist='artist 1').count() == 0
    assert WAYS[way](model) == 7
    check(model)
    assert model.objects.filter(artist='artist 1').getPrimaryKeys(sortByAge=True) == [1, 3, 5]
    assert model.objects.filter(artist='artist 1', year=3).getPrimaryKeys() == [3]
    assert model.objects.filter(title='é:2', chain='x').getPrimaryKeys() == [2]
    assert model.objects.filter(chain=irNull).getPrimaryKeys(sortByAge=True) == [3, 6, 7]
    assert model.objects.filter(title__ne='é:2', price=0).getPrimaryKeys(sortByAge=True) == [4, 6]
    assert model.objects.filter(data=b'4').getPrimaryKeys() == [4]


@pytest.mark.damaged
@pytest.mark.parametrize('way', WAYS)
def test_some_fields_only(make, check, way):
    fill(make(True, False, True, False))
    model = make(False, False, True, True)
    WAYS[way](model)
    check(model)


@pytest.mark.parametrize('way', WAYS)
def test_what_fits_already_stays(make, check, now, way):
    model = make(now, not now, now, not now)
    fill(model)
    assert WAYS[way](model) == 7
    check()


@pytest.mark.damaged
def test_only_the_objects_asked_for(make, now):
    fill(make(*[not now] * 4))
    model = make(*[now] * 4)
    assert model.saver.compat_convertHashedIndexes(model.objects.getMultiple([1, 2])) == 2
    assert model.objects.filter(artist__ne='x').count() == 7
    assert model.objects.filter(title='é:1').getPrimaryKeys() == [1]
    assert model.objects.filter(title='é:3').getPrimaryKeys() == []
    assert model.objects.filter(price=1).compat_convertHashedIndexes() == 3
    assert model.objects.filter(title='é:3').getPrimaryKeys() == [3]
    assert model.objects.filter(title='é:4').getPrimaryKeys() == []


@pytest.mark.damaged
def test_more_objects_than_go_in_one_trip(make, check):
    fill(make(False, False, False, False), count=600)
    model = make(True, True, True, True)
    assert model.objects.compat_convertHashedIndexes() == 601
    check(model)


@pytest.mark.damaged
def test_what_was_updated_before_the_conversion_is_found_by_what_it_stores(make):
    fill(make(False, False, False, False))
    model = make(True, True, True, True)
    obj = model.objects.get(1)
    obj.artist = 'new'
    obj.save()
    assert model.objects.filter(artist='new').getPrimaryKeys() == [1]
    assert model.objects.compat_convertHashedIndexes() == 7
    assert model.objects.filter(artist='new').getPrimaryKeys() == [1]
    assert model.objects.filter(artist='artist 1').getPrimaryKeys(sortByAge=True) == [3, 5]
