"""resetChanged() over rows that somebody changed with raw commands. The rule: afterwards the new
data set is stored, whatever was changed; of objects and of rows that come encoded alike."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.keyspace import dump

import IndexedRedis as IR
from IndexedRedis import IRField
from IndexedRedis.fields import IRForeignLinkField
from IndexedRedis.managers.resets import StoredRows

CODES = 'abcdef'
DATA = '_ir_|Shop:data:%d'
ALL = '_ir_|Shop:keys'
FIELDS = ['code', 'name', 'n', 'note']


@pytest.fixture
def shop(make_model):
    return make_model(
        ['code', 'name', IRField('n', valueType=int), 'note'], ['code', 'n'], key_name='Shop'
    )


def made(model):
    """The same data set, whenever it is asked for."""
    return [model(code=c, name=f'name {c}', n=n % 3, note='') for n, c in enumerate(CODES)]


def values(objs):
    return sorted((obj.code, obj.name, obj.n, obj.note) for obj in objs)


def items(model, objs, encoded):
    """The objects, or blocks of their encoded rows."""
    rows = model._validated().encoder.rows(objs, {}) if encoded else []
    return StoredRows(iter([rows[:4], rows[4:]])) if encoded else iter(objs)


def diff(model, objs, keys='code', encoded=False):
    (counts,) = IR.resetChanged([(model, items(model, objs, encoded))], {model: keys})
    return tuple(counts)


PKS = st.integers(1, len(CODES))
TEXTS = st.sampled_from(['', 'a', '2', 'name b', 'x' * 300])
# Each is a function of the raw client. The key field and its index set are cases of their own.
DAMAGES = st.one_of(
    st.builds(
        lambda pk, field, text: lambda raw: raw.hset(DATA % pk, field, text),
        PKS,
        st.sampled_from(['name', 'n', 'note']),
        TEXTS,
    ),
    st.builds(
        lambda pk, field: lambda raw: raw.hdel(DATA % pk, field),
        PKS,
        st.sampled_from(['name', 'n', 'note']),
    ),
    # the same values in the same order, but under other names
    st.builds(
        lambda pk: lambda raw: (raw.hdel(DATA % pk, 'note'), raw.hset(DATA % pk, 'nota', '')), PKS
    ),
    st.builds(lambda pk: lambda raw: raw.delete(DATA % pk), PKS),
    st.builds(lambda pk: lambda raw: raw.srem(ALL, pk), PKS),
    # an object more, under a new key or one in use, with all index entries or none
    st.builds(
        lambda pk, code, listed: (
            lambda raw: (
                raw.hset(DATA % pk, mapping={'code': code, 'name': 'more', 'n': '1', 'note': ''}),
                raw.sadd(ALL, pk),
                listed
                and (raw.sadd(f'_ir_|Shop:idx:code:{code}', pk), raw.sadd('_ir_|Shop:idx:n:1', pk)),
            )
        ),
        st.integers(20, 22),
        st.sampled_from('abz'),
        st.booleans(),
    ),
    st.builds(
        lambda code: lambda raw: raw.delete(f'_ir_|Shop:idx:code:{code}'), st.sampled_from(CODES)
    ),
    # an object that the index set of another key lists, instead of that of its own or besides
    st.builds(
        lambda pk, code, instead: (
            lambda raw: (
                raw.sadd(f'_ir_|Shop:idx:code:{code}', pk),
                instead and raw.srem(f'_ir_|Shop:idx:code:{CODES[pk - 1]}', pk),
            )
        ),
        PKS,
        st.sampled_from('abcz'),
        st.booleans(),
    ),
)


@pytest.mark.plain_model
@pytest.mark.damaged
@settings(
    max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture], derandomize=True
)
@given(damages=st.lists(DAMAGES, min_size=1, max_size=4), encoded=st.booleans())
def test_whatever_was_changed_is_put_right(shop, raw, damages, encoded):
    raw.flushdb()
    shop.reset(made(shop))
    for damage in damages:
        damage(raw)
    diff(shop, made(shop), encoded=encoded)
    assert values(shop.objects.all()) == values(made(shop))
    for obj in made(shop):
        assert values(shop.objects.filter(code=obj.code).all()) == values([obj])
    assert diff(shop, made(shop), encoded=encoded) == (0, 0, len(CODES), 0)


@pytest.mark.names_keys
@pytest.mark.parametrize('encoded', [False, True])
@pytest.mark.parametrize('field', FIELDS[1:])
def test_one_value_of_many_rows(make_model, raw, field, check, encoded):
    model = make_model(
        ['code', 'name', IRField('n', valueType=int), 'note'], ['code', 'n'], key_name='Shop'
    )
    objs = [model(code=f'c{n}', name=f'name {n}', n=7, note='') for n in range(700)]
    model.reset(iter(objs))
    raw.hset(DATA % 377, field, '8')
    if field == 'n':
        raw.smove('_ir_|Shop:idx:n:7', '_ir_|Shop:idx:n:8', 377)
    again = [model(code=f'c{n}', name=f'name {n}', n=7, note='') for n in range(700)]
    assert diff(model, again, encoded=encoded) == (0, 1, 699, 0)
    assert (model.objects.get(377).name, model.objects.get(377).n) == ('name 376', 7)
    assert model.objects.filter(n=7).count() == 700
    check(model)


KEYS = {
    'text': (['code', 'n'], 'code'),
    'number': (['n'], 'n'),
    'composite': (['code', 'n', 'name'], ('name', 'n', 'code')),
    'pk': ([], '_id'),
}


@pytest.mark.names_keys
@pytest.mark.parametrize('hashed', [False, True])
@pytest.mark.parametrize('kind', KEYS)
def test_rows_that_are_stored_as_they_are_are_not_written(make_model, kind, hashed, raw):
    indexed, keys = KEYS[kind]
    fields = [IRField('code', hashIndex=hashed), 'name', IRField('n', valueType=int), 'note']
    model = make_model(fields, indexed, key_name='Shop')

    def objs():
        given = range(1, 300)
        pks = [{'_id': n} if keys == '_id' else {} for n in given]
        return [
            model(code=f'ä{n}', name='x' * n, n=n, note='', **pk)
            for n, pk in zip(given, pks, strict=True)
        ]

    model.reset(objs())
    for encoded in {False, keys != '_id'}:
        before = dump(raw, expiring=False)
        assert diff(model, objs(), keys, encoded) == (0, 0, 299, 0)
        assert dump(raw, expiring=False) == before
        raw.hset(DATA % 5, 'note', 'other')
        assert diff(model, objs(), keys, encoded) == (0, 1, 298, 0)


@pytest.mark.plain_model
def test_links_to_objects_of_the_same_data_sets(make_model):
    artist = make_model(['code'], ['code'], key_name='Artist')
    album = make_model(
        ['code', IRForeignLinkField('artist', artist)], ['code', 'artist'], key_name='Album'
    )

    def groups():
        artists = [artist(code=f'a{n}') for n in range(5)]
        return [
            (artist, artists),
            (album, [album(code=f'{n}', artist=a) for n, a in enumerate(artists)]),
        ]

    keys = {artist: 'code', album: 'code'}
    IR.resetMany(groups())
    assert [*map(tuple, IR.resetChanged(groups(), keys))] == [(0, 0, 5, 0)] * 2


@pytest.mark.plain_model
@pytest.mark.parametrize('encoded', [False, True])
def test_a_key_of_two_objects(shop, encoded):
    for _ in 'new', 'unchanged':
        with pytest.raises(IR.UsageError, match="code: 'a' is the key of two objects"):
            diff(shop, [*made(shop), *made(shop)], encoded=encoded)
        shop.reset(made(shop))


@pytest.mark.plain_model
def test_encoded_rows_get_pks_and_index_entries(shop, check):
    for encoded in True, False:
        (pks,) = IR.resetMany([(shop, items(shop, made(shop), encoded))])
        assert len(pks) == len(CODES)
        assert values(shop.objects.all()) == values(made(shop))
        check(shop)
    new = [*made(shop)[2:], shop(code='g', name='new', n=1, note='')]
    assert diff(shop, new, encoded=True) == (1, 0, len(CODES) - 2, 2)
    assert values(shop.objects.all()) == values(new)
    check(shop)


@pytest.mark.names_keys
@pytest.mark.parametrize(('width', 'size'), [(3, 400_000), (3, 60_000), (200, 10), (2500, 1)])
def test_large_rows_and_wide_ones(make_model, raw, width, size):
    names = [f'f{n}' for n in range(width)]
    model = make_model(['code', *names], ['code'], key_name='Shop')

    def objs():
        text = 'x' * size
        return [model(code=str(n), **dict.fromkeys(names, text)) for n in range(5)]

    model.reset(objs())
    raw.hset(DATA % 3, 'f1', 'other')
    assert diff(model, objs()) == (0, 1, 4, 0)
    assert diff(model, objs()) == (0, 0, 5, 0)
