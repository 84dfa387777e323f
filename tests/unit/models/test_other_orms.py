"""Names of other libraries. The rule: the error names what to write here, and that exists."""

from __future__ import annotations

import copy
import pickle
import re

import pytest

from IndexedRedis import IndexedRedisQuery, UnknownNameWarning
from IndexedRedis.managers import other_orms
from unit.build import define
from unit.song import Song

NAMED = {
    'values_list': 'valuesList',
    'in_bulk': 'inBulk',
    'get_or_create': 'getOrCreate',
    'update_or_create': 'updateOrCreate',
    'count_by': 'countBy',
    'distinct': 'distinctValues',
    'order_by': 'orderBy',
    'offset': 'limit',
    'paginate': 'page',
    'first_or_none': 'first',
    'get_or_none': 'get',
    'select_related': 'all(cascadeFetch=True)',
    'defer': 'only',
    'aget_or_create': 'agetOrCreate',
    'bulk_create': 'Song.saver.save',
    'abulk_create': 'Song.saver.save',
    'refresh_from_db': 'obj.reload()',
}


@pytest.mark.parametrize('name', NAMED)
def test_a_query_names_ours(name):
    with pytest.raises(AttributeError, match=re.escape(NAMED[name])) as caught:
        getattr(Song.objects, name)
    assert caught.value.name == name
    assert f"no attribute '{name}'" in str(caught.value)
    assert not hasattr(Song.objects, name)


@pytest.mark.parametrize('name', ['get_or_create', 'select', 'filter', 'bulk_create', 'create'])
def test_a_model_names_its_managers(name):
    with pytest.raises(AttributeError, match=r'Write Song\.(objects|saver)\.'):
        getattr(Song, name)


def test_each_method_of_queries_is_named():
    lacking = {name for name in dir(IndexedRedisQuery) if not hasattr(Song, name)}
    assert {*other_orms.class_names()} >= {name for name in lacking if not name.startswith('_')}
    for name in {*other_orms.class_names()} & lacking:
        with pytest.raises(AttributeError, match=rf'Write Song\.objects\.{name}\(') as caught:
            getattr(Song, name)
        assert (caught.value.name, caught.value.obj) == (name, Song)
    with pytest.raises(AttributeError, match=r"^type object 'Song' has no attribute 'aexclude'$"):
        getattr(Song, 'aexclude')  # noqa: B009  (as the others)


def test_a_model_may_have_such_names_itself():
    class Album(Song):
        KEY_NAME = 'Album'
        select = 'mine'

        @classmethod
        def filter(cls):
            return cls

    assert (Album.select, Album.filter()) == ('mine', Album)
    assert not hasattr(Song, 'select')
    assert 'select' not in dir(Song)


@pytest.mark.parametrize('name', ['refresh_from_db', 'delete_instance', 'pk', 'id'])
def test_an_object_names_its_methods(name):
    with pytest.raises(AttributeError, match=r"'Song' object .*Write obj\.\w+\(\)"):
        getattr(Song(), name)


def test_other_names_get_the_usual_error():
    with pytest.raises(AttributeError, match=r"no attribute 'fitler'\. Did you mean 'filter'"):
        _ = Song.objects.fitler
    with pytest.raises(AttributeError, match=r"^type object 'Song' has no attribute 'titel'$"):
        _ = Song.titel
    with pytest.raises(AttributeError, match=r"^'Song' object has no attribute 'titel'$"):
        _ = Song().titel
    assert getattr(Song(), 'titel', None) is None


def test_fields_may_have_these_names():
    model = define('id', 'pk', 'select', 'order_by', name='Odd')
    obj = model(id='1', pk='2', select='3', order_by='4')
    assert (obj.id, obj.pk, obj.select, obj.order_by) == ('1', '2', '3', '4')


def test_an_object_does_not_have_such_names_itself():
    """As attributes of the model they would be known names, and hide those of other bases."""

    class Named:
        pk = property(lambda self: 'mine')

        def refresh(self):
            return 'mine'

    class Album(Song, Named):
        KEY_NAME = 'Album'

    assert (Album().pk, Album().refresh()) == ('mine', 'mine')
    assert not {'id', 'pk', 'refresh'} & {*dir(Song), *dir(Song())}
    for name in ('id', 'pk', 'refresh'):
        with pytest.warns(UnknownNameWarning, match=name):
            Song(**{name: 3})


def test_an_error_of_a_property_is_not_hidden():
    class Album(Song):
        KEY_NAME = 'Album'

        @property
        def length(self):
            return self.minutes

    with pytest.raises(AttributeError, match='minutes'):
        _ = Album().length


def test_queries_can_be_copied_and_objects_pickled():
    query = Song.objects.filter(name='x')
    assert repr(copy.copy(query)) == repr(query)
    assert pickle.loads(pickle.dumps(Song(name='x'))).name == 'x'


def test_what_is_named_exists():
    for table, owner in (
        (other_orms._OF_QUERIES, IndexedRedisQuery),
        (other_orms._OF_OBJECTS, Song),
    ):
        for ours in table.values():
            name = re.match(r'\w+', ours)[0]
            assert hasattr(owner, name)
    for ours in other_orms._OF_MODELS.values():
        manager, _, method = re.match(r'(\w+)(\.(\w+))?', ours).group(1, 2, 3)
        assert not method or hasattr(getattr(Song, manager), method)


def test_a_query_shows_what_it_asks():
    query = Song.objects.filter(name='x', year__ne=1980)
    assert repr(Song.objects) == 'Song.objects'
    assert repr(query) == "Song.objects.filter(name='x', year__ne='1980')"
    assert repr(query.only('name')) == repr(query) + ".only('name')"
