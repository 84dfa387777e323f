"""resetChanged(). The rule: afterwards the same is stored as after a reset, but only what differs
was written, and all of it in one moment."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from selection.choosing import examples
from support import linked
from support.keyspace import dump, key_names

import IndexedRedis as IR
from IndexedRedis import (
    FieldValueError,
    IRField,
    ResetInProgressError,
    TooManyChangesError,
    UsageError,
)


@pytest.fixture
def shop(make_model):
    return make_model(
        [
            IRField('code'),
            IRField('name'),
            IRField('n', valueType=int),
            IRField('tags', valueType=list),
        ],
        ['code', 'n'],
        key_name='Shop',
        partition_by='code',
    )


def made(model, rows):
    return [model(code=code, name=f'{code}{n}', n=n, tags=[n]) for code, n in rows]


def stored(model):
    return {obj.code: (obj._id, obj.name, obj.n, obj.tags) for obj in model.objects.all()}


def change(model, rows, **how):
    (counts,) = IR.resetChanged([(model, made(model, rows))], {model: 'code'}, **how)
    return tuple(counts)


@pytest.mark.names_keys
def test_what_is_equal_is_not_written_and_the_rest_is(shop, trips, raw):
    shop.reset(made(shop, [('a', 1), ('b', 2), ('c', 3)]))
    trips.clear()
    assert change(shop, [('b', 2), ('c', 30), ('d', 4)]) == (1, 1, 1, 1)
    assert stored(shop) == {
        'b': (2, 'b2', 2, [2]),
        'c': (3, 'c30', 30, [30]),
        'd': (4, 'd4', 4, [4]),
    }
    assert shop.objects.filter(n=3).all() == shop.objects.filter(n=1).all() == []
    assert shop.objects.filter(n=30).first().code == 'c'
    assert 0 < raw.pttl('_ir_|Shop:data:1') <= 10_000


def test_nothing_to_change_changes_nothing(shop, raw):
    rows = [('a', 1), ('b', 2)]
    shop.reset(made(shop, rows))
    before = dump(raw, expiring=False)
    assert change(shop, rows) == (0, 0, 2, 0)
    assert dump(raw, expiring=False) == before


def test_nothing_to_change_moves_the_time_stamp(shop):
    rows = [('a', 1), ('b', 2)]
    shop.reset(made(shop, rows))
    for stamp in ('2026-01-01T00:00:00+00:00', '2026-01-02T00:00:00+00:00'):
        assert change(shop, rows, mirrored=stamp) == (0, 0, 2, 0)
        assert shop.objects.mirroredAt().isoformat() == stamp
    assert change(shop, rows) == (0, 0, 2, 0)
    assert shop.objects.mirroredAt() is None


@pytest.mark.plain_model
def test_into_an_empty_model_and_back(shop, raw):
    assert change(shop, [('a', 1), ('b', 2)]) == (2, 0, 0, 0)
    assert change(shop, []) == (0, 0, 0, 2)
    assert shop.objects.count() == 0
    assert change(shop, [('a', 1)]) == (1, 0, 0, 0)
    assert stored(shop) == {'a': (3, 'a1', 1, [1])}


def test_the_objects_are_saved_objects_afterwards(shop):
    shop.reset(made(shop, [('a', 1), ('b', 2)]))
    objs = made(shop, [('a', 1), ('b', 7), ('c', 3)])
    before = [row[0] for row in stored(shop).values()]
    IR.resetChanged({shop: objs}, {shop: 'code'})
    assert {obj._id for obj in objs[:2]} == {*before}
    assert objs[2]._id == stored(shop)['c'][0] not in before
    assert not any(obj.hasUnsavedChanges() for obj in objs)
    objs[0].n = 50
    objs[0].save()
    assert shop.objects.filter(n=50).first()._id == objs[0]._id


ROWS = st.dictionaries(st.sampled_from('abcdefgh'), st.integers(1, 4))


@settings(
    max_examples=examples(60),
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    derandomize=True,
)
@given(old=ROWS, new=ROWS)
def test_any_data_set_after_any_other(shop, check, old, new):
    shop.reset(made(shop, old.items()))
    pks = {code: pk for code, (pk, *_) in stored(shop).items()}
    counts = change(shop, new.items())
    assert counts == (
        len(new.keys() - old.keys()),
        sum(old[code] != new[code] for code in old.keys() & new.keys()),
        sum(old[code] == new[code] for code in old.keys() & new.keys()),
        len(old.keys() - new.keys()),
    )
    assert {code: row[1:] for code, row in stored(shop).items()} == {
        code: (f'{code}{n}', n, [n]) for code, n in new.items()
    }
    assert all(stored(shop)[code][0] == pks[code] for code in old.keys() & new.keys())
    check(shop)


@pytest.mark.names_keys
def test_too_many_changes_change_nothing(shop, raw):
    shop.reset(made(shop, [(str(n), n) for n in range(50)]))
    before = dump(raw)
    for rows in ([(str(n), n + 1) for n in range(50)], [], [(f'new{n}', n) for n in range(1200)]):
        with pytest.raises(TooManyChangesError, match='more than 20 objects differ'):
            change(shop, rows, most=20)
        after = dump(raw, expiring=False)
        before.pop(b'_ir_|Shop:next', None), after.pop(b'_ir_|Shop:next')
        assert after == before
    assert change(shop, [(str(n), n) for n in range(2, 50)], most=2) == (0, 0, 48, 2)


def test_thousands_of_rows(shop):
    rows = [(f'c{n}', n) for n in range(3000)]
    pk = shop.reset(made(shop, rows))[5]
    rows[5], rows[2990] = ('c5', 77_777), ('new', 9)
    (counts,) = IR.resetChanged([(shop, iter(made(shop, rows)))], {shop: 'code'})
    assert tuple(counts) == (1, 1, 2998, 1)
    assert shop.objects.filter(n=77_777).first()._id == pk
    assert shop.objects.count() == 3000


@pytest.mark.damaged
def test_two_stored_objects_of_one_key_become_one(shop, check):
    first, _, last = shop.saver.save(made(shop, [('a', 1), ('a', 2), ('b', 3)]))
    assert change(shop, [('a', 1), ('b', 3)]) == (0, 0, 2, 1)
    assert stored(shop) == {'a': (first, 'a1', 1, [1]), 'b': (last, 'b3', 3, [3])}
    check(shop)


def test_links_lead_to_stored_and_to_new_targets(make_model):
    artist = make_model([IRField('code'), IRField('name')], ['code'], 'Artist', 'code')
    album = make_model(
        [IRField('code'), IR.fields.IRForeignLinkField('artist', artist)],
        ['code', 'artist'],
        key_name='Album',
        partition_by='code',
    )

    def mirror(names, albums):
        artists = {code: artist(code=code, name=name) for code, name in names.items()}
        objs = [album(code=code, artist=artists[by]) for code, by in albums.items()]
        groups = [(artist, list(artists.values())), (album, objs)]
        return [tuple(c) for c in IR.resetChanged(groups, {artist: 'code', album: 'code'})]

    assert mirror({'x': 'X', 'y': 'Y'}, {'1': 'x', '2': 'y'}) == [(2, 0, 0, 0)] * 2
    found = mirror({'x': 'X', 'y': 'YY', 'z': 'Z'}, {'1': 'x', '2': 'z', '3': 'y'})
    assert found == [(1, 1, 1, 0), (1, 1, 1, 0)]
    names = {obj.code: obj.artist.name for obj in album.objects.all(cascadeFetch=True)}
    assert names == {'1': 'X', '2': 'Z', '3': 'YY'}


def test_an_observer_is_told_how_it_goes(shop):
    class Told(IR.ResetObserver):
        def __init__(self):
            self.log = []

        def assigned(self, model, objs, pks):
            self.log.append((model, [obj.code for obj in objs], list(pks)))

        def staged(self, model, count, size):
            self.log.append((model, count, size))

        def swapping(self):
            self.log.append('swapping')

    size = sum(len(text) for text in ('a', 'a1', '1', '[1]', 'b', 'b2', '2', '[2]'))
    for call in (IR.resetMany, lambda *args: IR.resetChanged(args[0], {shop: 'code'}, 9, args[1])):
        told = Told()
        call([(shop, made(shop, [('a', 1), ('b', 2)]))], told)
        pks = [stored(shop)[code][0] for code in 'ab']
        assert told.log == [(shop, ['a', 'b'], pks), (shop, 2, size), 'swapping']


def but_numbers(found):
    """A database without what only counts: pks, and editions of partitions."""
    ends = (b':next', b':tmp:editions')
    return {name: content for name, content in found.items() if not name.endswith(ends)}


@pytest.mark.parametrize(
    ('rows', 'keys', 'text'),
    [
        ([('a', 1), ('a', 2)], {'code'}, "'a' is the key of two objects"),
        ([('z', 1), ('z', 2)], {'code'}, "'z' is the key of two objects"),
        ([], {'name'}, 'indexed field'),
        ([], {'nothing'}, 'indexed field'),
        ([], set(), 'indexed field'),
    ],
)
def test_what_cannot_be(shop, raw, rows, keys, text):
    shop.reset(made(shop, [('a', 1)]))
    before = dump(raw, expiring=False)
    with pytest.raises(UsageError, match=text):
        IR.resetChanged({shop: made(shop, rows)}, dict.fromkeys([shop], *keys) if keys else {})
    assert but_numbers(dump(raw, expiring=False)) == but_numbers(before)


@pytest.mark.names_keys
def test_objects_that_cannot_take_part(shop, raw):
    with pytest.raises(UsageError, match='brings a pk'):
        IR.resetChanged({shop: [shop(_id=3, code='a')]}, {shop: 'code'})
    bad = shop(code='a', n=1)
    bad.__dict__['name'] = '\ud800'
    with pytest.raises(FieldValueError):
        IR.resetChanged({shop: [bad]}, {shop: 'code'})
    with pytest.raises(UsageError, match='neither stored nor'):
        lone = linked.Book(title='b', author=linked.Author(name='Ann'))
        IR.resetChanged({linked.Book: [lone]}, {linked.Book: 'author'})
    assert raw.keys('*:keys') == key_names(raw, '*:tmp:*') == []


@pytest.mark.names_keys
def test_another_reset(shop, raw, monkeypatch):
    monkeypatch.setattr('IndexedRedis._core.locking.locks.WAIT_SECONDS', 0.2)
    raw.set('_ir_|Shop:tmp:lock', 'somebody', px=60_000)
    with pytest.raises(ResetInProgressError):
        change(shop, [('a', 1)])
    raw.delete('_ir_|Shop:tmp:lock')


@pytest.mark.names_keys
def test_a_writer_in_between_is_overwritten_or_kept_whole(shop, monkeypatch, check):
    """Somebody changes and deletes objects after they were compared, before the script runs."""
    from IndexedRedis.executors import exchange, sync

    shop.reset(made(shop, [('a', 1), ('b', 2), ('c', 3), ('d', 4)]))
    pack, busy = exchange.pack, []

    def interfering(batch):
        if b'MERGE' not in busy and any(len(c) > 2 and c[1] == sha for c in batch.commands):
            busy.append(b'MERGE')
            for code, n in (('a', 100), ('b', 200)):
                raw_change(shop, code, n)
        return pack(batch)

    from IndexedRedis._core.resets.scripts import MERGE

    sha = MERGE.of(()).sha
    for module in (exchange, sync):
        monkeypatch.setattr(module, 'pack', interfering)

    def raw_change(model, code, n):
        pk = {'a': 1, 'b': 2}[code]
        client = model._raw
        client.srem(f'_ir_|Shop:idx:n:{pk}', pk)
        client.hset(f'_ir_|Shop:data:{pk}', 'n', n)
        client.sadd(f'_ir_|Shop:idx:n:{n}', pk)

    import redis

    with redis.Redis(**IR.getDefaultRedisConnectionParams()) as client:
        shop._raw = client
        assert change(shop, [('a', 10), ('c', 3), ('d', 40)]) == (0, 2, 1, 1)
    assert busy
    assert {code: row[2] for code, row in stored(shop).items()} == {'a': 10, 'c': 3, 'd': 40}
    check(shop)


@pytest.mark.names_keys
@pytest.mark.parametrize(('codes', 'counts'), [('ab', (0, 1, 1, 0)), ('abc', (1, 1, 1, 0))])
def test_an_object_that_is_deleted_while_it_is_changed_is_stored_whole(shop, raw, codes, counts):
    shop.reset(made(shop, [('a', 1), ('b', 2)]))

    class Deleting(IR.ResetObserver):
        def swapping(self):
            raw.delete('_ir_|Shop:data:2')
            raw.srem('_ir_|Shop:keys', 2)
            raw.delete('_ir_|Shop:idx:code:b', '_ir_|Shop:idx:n:2')

    rows = [(code, n) for code, n in zip(codes, (1, 20, 3), strict=False)]
    assert change(shop, rows, observer=Deleting()) == counts
    assert {code: row[2:] for code, row in stored(shop).items()} == {c: (n, [n]) for c, n in rows}
    assert shop.objects.filter(code='b', n=20).count() == 1


@pytest.mark.names_keys
def test_what_the_data_set_lacks_goes_though_another_object_was_deleted_meanwhile(shop, raw):
    """Then as many objects are stored as were found equal."""
    shop.reset(made(shop, [('a', 1), ('b', 2), ('c', 3)]))

    class Deleting(IR.ResetObserver):
        def staged(self, model, count, size):
            raw.delete('_ir_|Shop:data:1', '_ir_|Shop:idx:code:a', '_ir_|Shop:idx:n:1')
            raw.srem('_ir_|Shop:keys', 1)

    change(shop, [('a', 1), ('b', 2)], observer=Deleting())
    assert {*stored(shop)} == {'b'}


@pytest.mark.plain_model
def test_objects_can_be_told_apart_by_their_pks(shop):
    shop.reset(made(shop, [('a', 1), ('b', 2), ('c', 3)]))
    objs = [shop(_id=pk, code=code, name='new', n=pk, tags=[]) for pk, code in ((2, 'b'), (9, 'i'))]
    objs.append(shop(_id=3, code='c', name='c3', n=3, tags=[3]))
    (counts,) = IR.resetChanged([(shop, objs)], {shop: '_id'})
    assert tuple(counts) == (1, 1, 1, 1)
    assert shop.objects.getPrimaryKeys(True) == [2, 3, 9]
    assert [obj.name for obj in shop.objects.allByAge()] == ['new', 'c3', 'new']
    assert shop(code='next').save() == [10]
    with pytest.raises(UsageError, match='brings no pk'):
        IR.resetChanged([(shop, made(shop, [('x', 1)]))], {shop: '_id'})
    with pytest.raises(UsageError, match='2 is the key of two objects'):
        IR.resetChanged([(shop, [shop(_id=2), shop(_id=2)])], {shop: '_id'})
