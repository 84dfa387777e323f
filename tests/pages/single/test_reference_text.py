"""What the descriptions of IndexedRedis promise. The rule: every code line of the description of
6.0.3 and of the early README is here as it stands there (with plain quotes, and names where it has
dots), and does what the text around it says."""

from __future__ import annotations

import datetime
import time

import pytest
import redis

import IndexedRedis
from IndexedRedis import (
    IndexedRedisModel,
    InvalidModelException,
    IRClassicField,
    IRField,
    IRFieldChain,
    irNull,
)
from IndexedRedis.fields import (
    IRBase64Field,
    IRBytesField,
    IRCompressedField,
    IRFixedPointField,
    IRForeignLinkField,
    IRForeignMultiLinkField,
    IRPickleField,
    IRRawField,
    IRUnicodeField,
)

pytestmark = pytest.mark.usefixtures('redis_params')


class Song(IndexedRedisModel):
    FIELDS = [
        IRField('artist'),
        IRField('title'),
        IRField('album'),
        IRField('track_number', valueType=int),  # Convert automatically to/from int
        IRField('duration', defaultValue='0:00'),
        IRField('releaseDate', valueType=datetime.datetime),  # Convert to/from datetime
        IRField('description'),
        IRField('copyright'),
        IRRawField('mp3_data'),  # Don't try to encode/decode data
        IRCompressedField('thumbnail', compressMode='gzip'),  # Compress this field in storage
        IRField('tags', valueType=list),
        # "lyrics" will be a utf-8 unicode value on the object, and will be compressed in storage
        IRFieldChain(
            'lyrics',
            [IRUnicodeField(encoding='utf-8'), IRCompressedField()],
            defaultValue='No lyrics found',
        ),
    ]
    INDEXED_FIELDS = ['artist', 'title', 'track_number']
    KEY_NAME = 'Songs'


@pytest.fixture(autouse=True)
def judged(watch_models):
    watch_models(Song)


def model(key_name, fields, indexed=(), **attributes):
    body = {'FIELDS': fields, 'INDEXED_FIELDS': list(indexed), 'KEY_NAME': key_name, **attributes}
    return type(IndexedRedisModel)(key_name, (IndexedRedisModel,), body)


def test_the_song_model(raw):
    song = Song(
        artist='Abba',
        title='Waterloo',
        track_number='1',
        releaseDate='1974-03-04 00:00:00',
        mp3_data=b'\xff\x00',
        thumbnail=b'image',
        tags=['pop', 'seventies'],
        lyrics='Für é',
    )
    song.save()
    Song(title='empty').save()
    song, empty = Song.objects.allByAge()
    assert (song.track_number, song.releaseDate) == (1, datetime.datetime(1974, 3, 4))
    assert (song.mp3_data, song.thumbnail, song.tags) == (
        b'\xff\x00',
        b'image',
        ['pop', 'seventies'],
    )
    assert (song.lyrics, song.duration) == ('Für é', '0:00')
    assert (empty.lyrics, empty.duration, empty.artist) == ('No lyrics found', '0:00', irNull)
    stored = raw.hgetall('_ir_|Songs:data:1')
    assert stored[b'thumbnail'][:2] == stored[b'lyrics'][:2] == b'x\xda'


def test_model_attributes(raw):
    fields = [
        IRField('name'),
        IRField('description'),
        IRField('model'),
        IRFixedPointField('Price', 2),
        IRField('timestamp', valueType=datetime.datetime),
        IRField('remainingStock', valueType=int),
    ]
    store = model('StoreItems', fields, ['name', 'model'])
    store(name='pen', model='x', Price='1.239', timestamp=0, remainingStock='5').save()
    (item,) = store.objects.filter(name='pen', model='x').all()
    assert (item.Price, item.remainingStock, type(item.timestamp)) == (1.24, 5, datetime.datetime)
    assert raw.exists('_ir_|StoreItems:keys')
    with pytest.raises(InvalidModelException, match='Name'):
        model('StoreItems', fields, ['Name', 'model']).objects.all()
    with pytest.raises(ValueError, match='not indexed'):
        store.objects.filter(Price=1.24)


def test_fields_by_type():
    person = model(
        'Person',
        [
            IRField('name'),
            IRField('age', valueType=int),
            IRField('birthday', valueType=datetime.datetime),
            IRField('happy', valueType=bool),
            IRField('myFixedPoint'),
        ],
    )
    myFixedPoint = '%2.5f' % (10.12345)  # noqa: UP031
    someone = person(age='7', happy=0, myFixedPoint=myFixedPoint)
    assert (someone.age, someone.happy, someone.myFixedPoint) == (7, False, '10.12345')
    table = [
        (0, False),
        ('FALSE', False),
        ('false', False),
        (1, True),
        ('true', True),
        ('True', True),
    ]
    for given, value in table:
        someone.happy = given
        someone.save()
        assert someone.happy is value
        assert person.objects.get(someone._id).happy is value


def test_null_values():
    from IndexedRedis import irNull
    from IndexedRedis.fields import irNull as same

    MyModel = model(
        'MyModel',
        [IRField('dangerLevel', valueType=int), IRField('something'), IRClassicField('classic')],
        ['dangerLevel', 'something'],
    )
    assert irNull is same
    assert (MyModel().dangerLevel, MyModel().classic) == (irNull, '')
    assert all(irNull != other for other in ('', 0, None, False, b'')) and irNull == irNull  # noqa: PLR0124
    levels = [None, 5, 0, 3]
    MyModel.saver.save([MyModel(dangerLevel=n, something='value') for n in levels])

    # Can be used directly in the model filtering
    notDangerFive = MyModel.objects.filter(dangerLevel__ne=irNull).filter(dangerLevel__ne=5).all()
    assert sorted(obj.dangerLevel for obj in notDangerFive) == [0, 3]
    # or in results, through Queryable List. Or direct comparison (not shown)
    myResults = MyModel.objects.filter(something='value').all()
    notDangerFive = myResults.filter(dangerLevel__ne=irNull).filter(dangerLevel__ne=5)
    assert sorted(obj.dangerLevel for obj in notDangerFive) == [0, 3]
    assert [obj._id for obj in myResults if obj.dangerLevel == irNull] == [1]


def test_advanced_types_and_what_can_be_indexed():
    linked = model('Linked', ['name'])
    indexable = [
        IRField('a'),
        IRField('b', valueType=int),
        IRBase64Field('c'),
        IRCompressedField('d', compressMode='bz2'),
        IRCompressedField('e', compressMode='lzma'),
        IRFixedPointField('f', decimalPlaces=3),
        IRUnicodeField('g', encoding='utf-16'),
        IRBytesField('h'),
        IRClassicField('i'),
        IRForeignLinkField('j', foreignKey=linked),
        IRForeignMultiLinkField('k', foreignKey=linked),
        IRFieldChain('l', [IRUnicodeField(encoding='utf-16'), IRCompressedField()]),
    ]
    assert model('Indexed', indexable, [*indexable]).validateModel()
    for field in (
        IRField('x', valueType=list),
        IRField('x', valueType=float),
        IRField('x', valueType=bytes),
        IRPickleField('x'),
        IRRawField('x'),
        IRFieldChain('x', [IRPickleField(), IRCompressedField()]),
    ):
        with pytest.raises(InvalidModelException, match='x'):
            model('Indexed', [field], ['x']).validateModel()


def test_foreign_links():
    author = model('Author', [IRField('name')])
    book = model(
        'Book',
        [
            IRForeignLinkField('author', foreignKey=author),
            IRForeignMultiLinkField('readers', foreignKey=author),
        ],
        ['readers'],
    )
    assert (book().author, book().readers) == (irNull, irNull)
    ann, bob = author(name='Ann'), author(name='Bob')
    book(author=ann, readers=[ann, bob]).save()
    # The filter must contain the full list (either pks, objs, or combination thereof).
    for full in ([ann, bob], [1, 2], [ann, 2]):
        (found,) = book.objects.filter(readers=full).all()
        assert (found.author.name, [each.name for each in found.readers]) == ('Ann', ['Ann', 'Bob'])
    assert book.objects.filter(readers=[ann]).all() == []
    # A "contains item"-style filter must be performed client-side.
    assert len(book.objects.all().filter(readers__contains=bob)) == 1


def test_chaining_multiple_types(raw):
    my_model = model(
        'Chained',
        [
            IRFieldChain(
                'longData',
                [IRUnicodeField(encoding='utf-16', defaultValue='ignored'), IRCompressedField()],
            ),
            IRFieldChain('other', [IRField(valueType=int), IRBase64Field()], defaultValue=3),
        ],
    )
    my_obj = my_model(longData='é')
    assert (my_model().longData, my_obj.other) == (irNull, 3)
    my_obj.save()
    assert raw.hgetall('_ir_|Chained:data:1') == {
        b'longData': b'x\xda\xfb\xff\xef%\x03\x00\x08\xcc\x02\xe7',
        b'other': b'Mw==',
    }
    assert (my_model.objects.get(1).longData, my_model.objects.get(1).other) == ('é', 3)


@pytest.mark.parametrize('how', [{}, {'fetchAll': True}, {'fetchAll': False}])
def test_converting_to_and_from_hashed_indexes(raw, how):
    fields = [IRField('genomeStr', hashIndex=True), IRField('name')]
    MyModel = model('Genomes', fields, ['genomeStr', 'name'])
    plain = model('Genomes', [IRField('genomeStr'), IRField('name')], ['genomeStr', 'name'])
    base, hashed = '_ir_|Genomes:idx:genomeStr:', '900150983cd24fb0d6963f7d28e17f72'
    plain(genomeStr='abc', name='x').save()
    for converted, key, other in ((MyModel, hashed, 'abc'), (plain, 'abc', hashed)):
        converted.objects.compat_convertHashedIndexes(**how)
        assert raw.smembers(base + key) == {b'1'}
        assert not raw.exists(base + other)
        assert converted.objects.filter(genomeStr='abc', name='x').first().genomeStr == 'abc'
    assert raw.smembers('_ir_|Genomes:idx:name:x') == {b'1'}


def test_connecting_to_redis(redis_params, raw):
    assert set(IndexedRedis.getDefaultRedisConnectionParams()) >= {'host', 'port', 'db'}
    IndexedRedis.setDefaultRedisConnectionParams({**redis_params, 'db': 5})
    elsewhere = model('Elsewhere', [IRField('name')], REDIS_CONNECTION_PARAMS={'db': 0})
    elsewhere(name='x').save()
    Song(title='x').save()
    assert raw.keys('*:data:*') == [b'_ir_|Elsewhere:data:1']
    MyModel = Song
    AltConnectionMyModel = MyModel.connectAlt({'host': redis_params['host'], 'db': 4})
    AltConnectionMyModel(title='alt').save()
    assert [song.title for song in AltConnectionMyModel.objects.all()] == ['alt']
    assert [song.title for song in MyModel.objects.all()] == ['x']


def test_model_validation():
    invalid = model('Invalid', [IRField('name'), IRField('name ')], ['nothing'])
    with pytest.raises(InvalidModelException):
        invalid()


def test_filters_and_fetch_types():
    SomeModel = model(
        'SomeModel',
        [*map(IRField, ('param1', 'param2', 'name', 'colour')), IRField('number', valueType=int)],
        ['param1', 'param2', 'name', 'colour', 'number'],
    )
    val, val2 = 'a', 'b'
    obj = SomeModel(param1=val, param2=val)
    obj.save()
    SomeModel(param1=val, param2=val2).save()
    objects = SomeModel.objects.filter(param1=val).filter(param2=val).all()
    assert [each.getPk() for each in objects] == [1]
    objects = SomeModel.objects.filter(param1=val, param2__ne=val2).all()
    assert [each.getPk() for each in objects] == [1]

    SomeModel(name='Tim', colour='purple', number=5).save()
    found = SomeModel.objects.filter(name='Tim', colour='purple').filter(number=5).all()
    assert [each.getPk() for each in found] == [3]
    assert found.getModel() is SomeModel

    filtered = SomeModel.objects.filter(param1=val)
    moreFiltered = filtered.filter(param2=val2)
    assert (filtered.count(), moreFiltered.count()) == (2, 1)
    assert filtered.filterInline(param2=val2) is filtered
    assert (filtered.count(), sorted(filtered.getPrimaryKeys())) == (1, [2])
    query = SomeModel.objects.filter(param1=val)
    assert [each.getPk() for each in query.allByAge()] == [1, 2]
    assert (query.first().getPk(), query.last().getPk()) == (1, 2)
    assert query.random().getPk() in (1, 2)
    assert sorted(each.param2 for each in query.allOnlyFields(['param2'])) == ['a', 'b']
    assert SomeModel.objects.get(3).name == 'Tim'
    assert [each.getPk() for each in SomeModel.objects.getMultiple([3, 1])] == [3, 1]
    assert (SomeModel.objects.exists(3), SomeModel.objects.exists(4)) == (True, False)
    obj.param1 = 'c'
    assert obj.getUpdatedFields() == {'param1': ('a', 'c')}
    SomeModel(name='Bad Man').save()
    assert SomeModel.objects.filter(name='Bad Man').delete() == 1
    obj.delete()
    assert sorted(SomeModel.objects.getPrimaryKeys()) == [2, 3]


def test_filter_results():
    People = model(
        'People',
        [IRField('job'), IRField('experienceYears', valueType=int), IRField('likes')],
        ['job'],
    )
    rows = [(12, 'cheese wine'), (3, 'cheesecake'), (10, 'maths cheese'), (None, None)]
    People.saver.save([People(job='Math Teacher', experienceYears=n, likes=s) for n, s in rows])
    mathTeachers = People.objects.filter(job='Math Teacher').all()
    experiencedMathTeachers = mathTeachers.filter(experienceYears__gte=10)
    cheeseLovingMathTeachers = mathTeachers.filter(likes__splitcontains=(' ', 'cheese'))
    assert sorted(obj._id for obj in experiencedMathTeachers) == [1, 3]
    assert sorted(obj._id for obj in cheeseLovingMathTeachers) == [1, 3]


def test_client_side_filters_can_be_chained():
    MyModel = model(
        'Chain',
        [
            *map(IRField, ('field1', 'csvData', 'status', 'blah')),
            IRField('lastUpdated', valueType=int),
            IRField('startDate', valueType=datetime.datetime),
        ],
        ['field1', 'blah'],
    )
    now = int(time.time())  # an int field refuses fractions
    rows = [
        ('a,someItem', 'pending', now),
        ('someItem', 'done', now - 1000),
        ('someItem', 'done', now),
        ('someItems', 'saved', now),
        (None, 'pending', now),
        ('b,someItem', None, None),
    ]
    names = ('csvData', 'status', 'lastUpdated')
    objs = [MyModel(field1='something', **dict(zip(names, row, strict=True))) for row in rows]
    MyModel.saver.save(objs)
    myObjects = (
        MyModel.objects.filter(field1='something')
        .all()
        .filter(csvData__isnull=False, csvData__splitcontains=(',', 'someItem'))
        .filterOr(status__in=('pending', 'saved'), lastUpdated__lte=(time.time() - 700))
    )
    assert sorted(obj._id for obj in myObjects) == [1, 2]

    days = [3, 1, None, 2]
    dates = [day and datetime.datetime(2020, 1, day) for day in days]
    MyModel.saver.save([MyModel(blah='something', startDate=date) for date in dates])
    myObjs = MyModel.objects.filter(blah='something').all().sort_by('startDate')
    assert [obj.startDate.day for obj in myObjs if obj.startDate] == [1, 2, 3]


def test_methods_of_lists():
    Song.saver.save([Song(artist='Abba', title=str(number)) for number in range(4)])
    myObjects = Song.objects.filter(artist='Abba').allByAge()
    assert myObjects.getModel() is Song
    Song.objects.filter(title='0').delete()  # more efficient than to fetch and delete
    other = Song.objects.get(2)
    other.title = 'changed'
    other.save()
    # A list with the same indexes: a KeyError, or a dict of fields with (old value, new value).
    gone, changed, *same = myObjects.reload()
    assert isinstance(gone, KeyError)
    assert (changed, same) == ({'title': ('1', 'changed')}, [{}, {}])
    assert myObjects[1].title == 'changed'
    other.artist = 'other'
    other.save()
    again = myObjects.refetch()
    assert (type(again), again is myObjects) == (type(myObjects), False)
    assert [obj and obj.artist for obj in again] == [None, 'other', 'Abba', 'Abba']
    rest = Song.objects.filter(artist='Abba').all()
    for obj in rest:
        obj.album = 'new'
    assert sorted(rest.save()) == [3, 4]
    assert Song.objects.get(3).album == 'new'
    assert Song.objects.filter(artist='Abba').all().filter(title='2').delete() == 1
    assert sorted(Song.objects.getPrimaryKeys()) == [2, 4]


def test_resets():
    SomeModel, MyModel = Song, Song
    SomeModel(title='old').save()
    lst = [SomeModel(title='one', artist='x'), SomeModel(title='two')]
    SomeModel.reset(lst)
    assert [obj.title for obj in SomeModel.objects.allByAge()] == ['one', 'two']
    x = [SomeModel(title='three', artist='x'), SomeModel(title='four')]
    assert len(SomeModel.objects.reset(x)) == 2
    MyModel.objects.reset(MyModel.objects.all())
    assert [obj.title for obj in MyModel.objects.allByAge()] == ['three', 'four']
    assert MyModel.objects.filter(artist='x').count() == 1


def test_reindex_after_a_field_came_to_be_indexed():
    fields = [IRField('name'), IRField('later')]
    before = model('Growing', fields, ['name'])
    before(name='a', later='x').save()
    MyModel = model('Growing', fields, ['name', 'later'])
    assert MyModel.objects.filter(later='x').count() == 0
    MyModel.objects.reindex()
    assert MyModel.objects.filter(later='x', name='a').count() == 1


def test_encodings(raw):
    default = IndexedRedis.getDefaultIREncoding()
    assert default == 'utf-8'
    texts = model(
        'Texts',
        [
            IRField('a'),
            IRUnicodeField('b', encoding='utf-16'),
            IRBytesField('c', encoding='latin-1'),
        ],
    )
    IndexedRedis.setDefaultIREncoding('latin-1')
    try:
        assert IndexedRedis.getDefaultIREncoding() == 'latin-1'
        texts(a='é', b='é', c='é').save()
        obj = texts.objects.get(1)
    finally:
        IndexedRedis.setDefaultIREncoding(default)
    assert (obj.a, obj.b, obj.c) == ('é', 'é', b'\xe9')
    assert raw.hgetall('_ir_|Texts:data:1') == {
        b'a': b'\xe9',
        b'b': b'\xff\xfe\xe9\x00',
        b'c': b'\xe9',
    }


def test_the_early_readme(redis_params, raw):
    class SomeModel(IndexedRedisModel):
        FIELDS = ['param1', 'param2', 'name']
        INDEXED_FIELDS = ['param1', 'param2']
        KEY_NAME = 'Early'
        REDIS_CONNECTION_PARAMS = {**redis_params, 'db': 6}

    with pytest.warns(DeprecationWarning, match='plain text'):
        assert SomeModel(param1='x').name == ''
    val = 'a'
    obj = SomeModel(param1=val, param2=val, name='x')
    obj.save()
    assert [o.name for o in SomeModel.objects.filter(param1=val).filter(param2=val).all()] == ['x']
    x = [SomeModel(param1='new'), SomeModel(param1='newer')]
    SomeModel.reset(x)
    assert [o.param1 for o in SomeModel.objects.allByAge()] == ['new', 'newer']
    someObj = SomeModel.objects.first()
    someObj.name = 'changed'
    someObj.save()
    assert SomeModel.objects.get(someObj.getPk()).name == 'changed'
    someObj.delete()
    assert SomeModel.objects.count() == 1
    assert raw.dbsize() == 0


@pytest.mark.parametrize('where', ['class', '__init__'])
def test_an_own_connection_instead_of_parameters(redis_params, raw, where):
    client = redis.Redis(**{**redis_params, 'db': 7})

    class Owner(IndexedRedisModel):
        FIELDS = [IRField('name')]
        INDEXED_FIELDS = ['name']
        KEY_NAME = 'Owner'
        if where == 'class':
            _connection = client
        else:

            def __init__(self, *args, **kwargs):
                super().__init__(*args, **kwargs)
                self._connection = client

    with client:
        owner = Owner(name='x')
        assert owner.save() == [1]
        assert raw.keys() == []
        owner.name = 'y'
        owner.save()
        assert client.hget('_ir_|Owner:data:1', 'name') == b'y'
        assert owner.objects.filter(name='y').count() == 1
        assert owner.reload() == {}
        owner.delete()
        assert client.keys('*:data:*') == []
