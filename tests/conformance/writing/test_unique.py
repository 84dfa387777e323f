"""Unique fields. The rule: whatever writes, no two objects have the same unique value, and the
checker finds each object in the index sets of its values."""

from __future__ import annotations

import pytest
from support.keyspace import key_names

import IndexedRedis as IR
from IndexedRedis import InvalidModelException, IRField, ResetInProgressError, UniqueError, irNull
from IndexedRedis._core.bulk import unfinished
from IndexedRedis._core.resets import index_fill

pytestmark = pytest.mark.plain_model  # with partitions a unique field decides the partition

FIELDS = [
    'email',
    IRField('shop', hashIndex=True),
    IRField('sku', valueType=int),
    IRField('age', valueType=int),
]
TAKEN = 'UNIQUE_FIELDS allows each value once'
FIRST = '\u00d7shop\u00d7sku:'


@pytest.fixture
def user(make_model):
    return make_model(FIELDS, indexed=['age'], UNIQUE_FIELDS=['email', ('shop', 'sku')])


@pytest.fixture(params=['short', 'in steps'])
def lists(request):
    """Lists of three are short ones, or go the ways of long ones."""
    if request.param == 'in steps':
        request.getfixturevalue('in_steps')
    return request.param


def emails(model):
    return sorted(str(obj.email) for obj in model.objects.all())


def refuse(write, *words, fields=('email',), pk=1):
    """Run a write that must be refused, and return the error."""
    with pytest.raises(UniqueError) as found:
        write()
    assert found.value.fields == fields and found.value.pk == pk
    for word in (TAKEN, *words):
        assert word in str(found.value)
    return found.value


# -- definitions -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ('unique', 'words'),
    [
        ('email', "UNIQUE_FIELDS is 'email'; it must be a list"),
        (['emial'], "UNIQUE_FIELDS names 'emial', which is not in FIELDS. Did you mean 'email'"),
        ([('email', 'x')], "UNIQUE_FIELDS names 'x'"),
        ([('email',)], 'has to list two or more different fields'),
        ([('email', 'email')], 'has to list two or more different fields'),
        ([7], 'UNIQUE_FIELDS holds 7, which is no name of a field'),
        (['data'], "field 'data' cannot be indexed"),
    ],
)
def test_wrong_definitions(make_model, unique, words):
    fields = [*FIELDS, IRField('data', valueType=dict)]
    model = make_model(fields, UNIQUE_FIELDS=unique)
    with pytest.raises(InvalidModelException) as found:
        model.validateModel()
    assert words in str(found.value)
    model.UNIQUE_FIELDS = []


def test_unique_fields_are_indexed(user):
    user(email='a', shop='s', sku=1).save()
    assert user.objects.filter(email='a').count() == user.objects.filter(sku=1).count() == 1
    assert user.copyModel().UNIQUE_FIELDS == ['email', ('shop', 'sku')]


# -- single objects ----------------------------------------------------------------------------


def test_inserts(user):
    user(email='a', shop='s', sku=1).save()
    refuse(lambda: user(email='a').save(), "email: the object with pk 1 has 'a'")
    write = user(email='b', shop='s', sku=1).save
    refuse(write, "(shop, sku): the object with pk 1 has ('s', 1)", fields=('shop', 'sku'))
    user(email='b', shop='s', sku=2).save()
    user(email='c', shop='s1', sku=irNull).save()
    assert emails(user) == ['a', 'b', 'c']


def test_an_object_that_was_refused_can_be_saved_with_another_value(user):
    user(email='a').save()
    obj = user(email='a')
    refuse(obj.save)
    obj.email = 'b'
    obj.save()
    assert emails(user) == ['a', 'b']


def test_nulls_never_collide(user, lists):
    for _ in range(2):
        user().save()
        user.saver.save([user(shop='s'), user(sku=1), user(shop='s')])
    user.objects.update(email=None, age=1)
    assert user.objects.count() == 8
    assert user.objects.check().ok


def test_text_that_is_empty_is_a_value(user):
    user(email='').save()
    refuse(lambda: user(email='').save())


def test_no_two_combinations_meet(make_model):
    model = make_model(['a', 'b', 'c'], UNIQUE_FIELDS=[('a', 'b'), ('a', 'b', 'c')])
    values = [('1', '11'), ('11', '1'), ('1:1', '1'), ('1', '1:1'), ('', '111'), ('111', '')]
    for a, b in values:
        model(a=a, b=b, c='').save()
    assert model.objects.count() == len(values)


def test_updates(user):
    user(email='a', shop='s', sku=1).save()
    obj = user(email='b', shop='s', sku=2)
    obj.save()
    obj.email = 'a'
    refuse(obj.save)
    obj.email, obj.sku = 'c', 1
    refuse(obj.save, fields=('shop', 'sku'))
    obj.sku = 3
    obj.save()
    partial = user.objects.getOnlyFields(2, ['sku'])
    partial.sku = 1
    refuse(partial.save, "('s', 1)", fields=('shop', 'sku'))
    obj.age = 5
    obj.save()
    obj.sku = None
    obj.save()
    refuse(partial.save, fields=('shop', 'sku'))
    assert emails(user) == ['a', 'c']


def test_puts(user):
    user(email='a', shop='s', sku=1).save()
    refuse(lambda: user(_id=9, email='a').save())
    user(_id=1, email='a', shop='s', sku=1, age=4).save()
    user(_id=9, email='b').save()
    refuse(lambda: user.saver.save(user(email='a'), forceID=9))
    user.saver.save(user(email='c'), forceID=1)
    user.saver.save(user(email='a'), forceID=9)
    assert emails(user) == ['a', 'c']


def test_values_of_deleted_objects_are_free(user, lists, raw):
    user.saver.save([user(email=name, shop=name, sku=1) for name in 'abc'])
    user.objects.get(1).delete()
    user.objects.filter(email='b').delete()
    user.deleter.deleteMultiple(user.objects.all())
    user.saver.save([user(email=name, shop=name, sku=1) for name in 'abc'])
    user.deleter.deleteMultipleByPks(user.objects.getPrimaryKeys())
    assert not [key for key in key_names(raw) if b':idx:' in key]


# -- lists -------------------------------------------------------------------------------------


def test_lists(user, lists):
    user.saver.save([user(email=name, shop=name, sku=1) for name in 'abc'])
    refuse(lambda: user.saver.save([user(email='x'), user(email='y'), user(email='b')]), pk=2)
    new = [user(email='x'), user(email='y'), user(email='x')]
    refuse(lambda: user.saver.save(new), 'two objects of the list', pk=None)
    assert emails(user) == ['a', 'b', 'c']
    one, two, three = objs = user.objects.all()
    one.email, two.email, three.email = 'b', 'c', 'a'
    one.shop, two.shop, three.shop = 'c', 'a', 'b'
    user.saver.save(objs)
    assert [obj.email for obj in user.objects.all()] == ['b', 'c', 'a']
    for obj in objs:
        obj.email = 'z'
    refuse(lambda: user.saver.save(objs), pk=None)
    one.email, two.email, three.email = 'b', 'x', 'b'
    refuse(lambda: user.saver.save(objs))
    one.email, two.email, three.email = 'b', 'x', 'y'
    new = [user(email='c'), user(email='a'), user(email='d')]
    user.saver.save([*objs, *new])
    assert emails(user) == ['a', 'b', 'c', 'd', 'x', 'y']
    for obj in objs:
        obj.shop, obj.sku = 'same', 7
    refuse(lambda: user.saver.save(objs), pk=None, fields=('shop', 'sku'))
    for number, obj in enumerate(objs):
        obj.sku = number
    user.saver.save(objs)
    for obj in objs:
        obj.shop = irNull
    user.saver.save(objs)
    partials = [user.objects.getOnlyFields(obj._id, ['sku']) for obj in objs]
    for obj in partials:
        obj.sku = 9
    user.saver.save(partials)
    for obj in partials:
        obj.shop = 'unknown here'
    refuse(lambda: user.saver.save(partials), pk=None, fields=('shop', 'sku'))


def test_a_list_whose_holder_keeps_its_value(user, lists):
    """The object that has the value is in the list, but changes another field."""
    one, two = user(email='a'), user(email='b')
    user.saver.save([one, two])
    one.age, two.email = 3, 'a'
    refuse(lambda: user.saver.save([one, two]))
    refuse(lambda: user.saver.save([two, one]))


def test_blocks_of_a_generator(user, lists):
    refuse(lambda: user.saver.save(user(email=f'{n % 7}') for n in range(9)), pk=None)
    assert user.objects.count() == 0


def test_cascades(make_model, lists):
    name = 'UniqueTarget'
    target = make_model(['code'], UNIQUE_FIELDS=['code'], key_name=name)
    link = IR.fields.IRForeignLinkField('to', target)
    model = make_model(['title', link], UNIQUE_FIELDS=['to'])
    target(code='a').save()
    refuse(lambda: model(title='x', to=target(code='a')).save(), fields=('code',))
    assert model.objects.count() == 0
    obj = model(title='x', to=target(code='b'))
    obj.save()
    refuse(lambda: model(to=obj.to).save(), f'has {obj.to._id},', fields=('to',), pk=obj._id)
    model.saver.save([model(), model(), model(to=target(code='c'))])
    obj.to.code = 'a'
    refuse(obj.save, fields=('code',))


def test_update(user):
    user.saver.save([user(email=name, shop=name, sku=n) for n, name in enumerate('abc')])
    words = "3 objects match, and update() would give 'x' to each"
    refuse(lambda: user.objects.update(email='x'), words, pk=None)
    refuse(lambda: user.objects.filter(email='a').update(email='b'), pk=2)
    assert user.objects.filter(email='a').update(email='x') == 1
    assert user.objects.update(shop='s') == 3
    refuse(lambda: user.objects.update(sku=5), pk=None, fields=('shop', 'sku'))
    assert [obj.sku for obj in user.objects.all()] == [0, 1, 2]
    assert user.objects.update(email=None, sku=None) == 3


def test_getOrCreate(user):
    obj, created = user.objects.getOrCreate(email='a', defaults={'shop': 's', 'sku': 1})
    again, created_again = user.objects.getOrCreate(email='a')
    assert (obj._id, created, again._id, created_again) == (1, True, 1, False)
    of_sku = user.objects.getOrCreate
    refuse(lambda: of_sku(email='b', defaults={'shop': 's', 'sku': 1}), fields=('shop', 'sku'))
    assert user.objects.updateOrCreate(email='a', defaults={'age': 3})[1] is False


# -- resets ------------------------------------------------------------------------------------


@pytest.mark.parametrize('most', [0, 1000])
def test_resets(user, raw, check, monkeypatch, most):
    monkeypatch.setattr(index_fill, 'MOST', most)
    old = [user(email=name, shop='s', sku=n) for n, name in enumerate('abc')]
    user.reset(old)
    before = key_names(raw)
    new = [user(email='x'), user(email='y'), user(email='x')]
    refuse(lambda: user.reset(new), 'two objects of the new data set', "'x'", pk=None)
    refuse(lambda: user.reset(obj.copy() for obj in new), pk=None)
    kept = user.objects.get(1)
    refuse(lambda: user.reset([kept, user(_id=2, email='a')]), "'a'", pk=None)
    pairs = [user(email=name, shop='x', sku=1) for name in 'ab']
    refuse(lambda: IR.resetMany({user: pairs}), "('x', 1)", fields=('shop', 'sku'), pk=None)
    assert key_names(raw) == before and emails(user) == ['a', 'b', 'c']
    user.reset([user(email=name, shop='s', sku=n) for n, name in enumerate('cba')])
    check()
    one, two, _ = kept = user.objects.all()
    one.email, two.email = two.email, one.email
    user.reset(kept)
    user.reset([user(), user(), user(email='a')])
    refuse(lambda: user(email='a').save(), pk=max(user.objects.getPrimaryKeys()))
    user(email='b').save()


def test_resets_of_what_changed(user):
    keys = {user: 'age'}
    user.reset([user(age=n, email=f'{n}') for n in range(4)])
    new = [user(age=n, email=f'{(n + 1) % 4}') for n in range(4)]
    (counts,) = IR.resetChanged({user: new}, keys)
    assert counts.updated == 4
    new = [user(age=n, email='1') for n in range(2)]  # the first of them has it already
    refuse(lambda: IR.resetChanged({user: new}, keys))
    new = [user(age=n, email='3') for n in (3, 1)]
    refuse(lambda: IR.resetChanged({user: new}, keys), pk=None)
    IR.resetChanged({user: [user(age=7, email='1')]}, keys)
    assert [(obj.age, obj.email) for obj in user.objects.all()] == [(7, '1')]


# -- entries that do not count, and reservations -----------------------------------------------


def test_entries_of_another_program(user, raw):
    """Version 6.0.3 has changed the value of one object, and deleted another."""
    base = f'_ir_|{user.KEY_NAME}'
    user.saver.save([user(email=name, shop='s', sku=n) for n, name in enumerate('abc')])
    raw.hset(f'{base}:data:1', 'email', 'z')
    raw.sadd(f'{base}:idx:email:z', 1)
    raw.hset(f'{base}:data:3', 'sku', '9')
    raw.srem(f'{base}:idx:sku:2', 3)
    raw.sadd(f'{base}:idx:sku:9', 3)
    raw.srem(f'{base}:keys', 2)
    raw.delete(f'{base}:data:2')
    user(email='a', shop='s', sku=2).save()
    user(email='b').save()
    refuse(lambda: user(email='z').save())
    assert not user.objects.check().ok
    assert user.objects.repair().ok


@pytest.fixture
def no_wait(monkeypatch):
    monkeypatch.setattr(unfinished, 'WAIT_SECONDS', 0.0)


@pytest.mark.usefixtures('no_wait')
@pytest.mark.parametrize('state', ['live', 'dead', 'another', 'swapped'])
@pytest.mark.parametrize('what', ['hash', 'staged set', 'filled set', 'left'])
def test_values_that_another_writer_reserves(user, raw, what, state):
    base = f'_ir_|{user.KEY_NAME}'
    obj = user(email='b')
    obj.save()
    raw.hset(f'{base}:tmp:resets', 'T', 'swapped' if state == 'swapped' else 'staging')
    if state != 'dead':
        raw.set(f'{base}:tmp:lock', 'U' if state == 'another' else 'T', px=60000)
    if what == 'hash':
        raw.hset(f'{base}:tmp:T:unique', f'{base}:idx:email:a', 7)
    if what == 'staged set':
        raw.sadd(f'{base}:tmp:T:idx:email:a', 7)
    if what == 'filled set':
        raw.sadd(f'{base}:idx:email:a', 7)
        raw.hset(f'{base}:data:7', 'email', 'a')
    if what == 'left':
        raw.hset(f'{base}:tmp:T:left', 1, '')
    obj.email = 'a'
    writes = [obj.save] if what == 'left' else [user(email='a').save, obj.save]
    for write in writes:
        if state == 'live':
            with pytest.raises(ResetInProgressError, match='same unique value'):
                write()
        else:
            write()
            obj.email = 'c'
    raw.flushdb()


# -- check -------------------------------------------------------------------------------------


def test_check_finds_what_is_not_unique(make_model, raw):
    model = make_model(FIELDS, indexed=['email'])
    model.saver.save([model(email=e, shop='s', sku=n // 2) for n, e in enumerate('aabc')])
    model.UNIQUE_FIELDS = ['email', ('shop', 'sku')]
    report = model.objects.check()
    # 4 objects are missing in each of three indexes
    assert report.counts == {'entry_missing': 12, 'not_unique': 1}
    assert model.objects.reindex() == 4
    report = model.objects.repair()
    assert report.counts == {'not_unique': 3} and not report.repaired and not report.ok
    base = f'_ir_|{model.KEY_NAME}'
    assert f'{base}:idx:email:a lists 1, 2: objects with the same email, which is' in str(report)
    assert 'objects with the same shop, sku, which is unique' in str(report)
    obj = model.objects.get(2)
    obj.email, obj.sku = 'A', 7
    obj.save()
    model.objects.get(3).delete()
    assert model.objects.check().ok


def test_repair_of_entries_of_several_fields(user, raw):
    user.saver.save([user(email=name, shop='s', sku=n) for n, name in enumerate('abc')])
    base = f'_ir_|{user.KEY_NAME}'
    first, second, _ = sorted(key for key in key_names(raw) if b'\xc3\x97' in key)
    raw.delete(first)
    raw.sadd(second, 3, 99)
    raw.sadd(f'{base}:idx:\u00d7no\u00d7more:1:x', 1)
    report = user.objects.repair()
    counts = {'entry_missing': 1, 'entry_stale': 1, 'entry_gone': 1, 'index_unused': 1}
    assert report.counts == counts and report.ok, str(report)
    assert user.objects.check().ok


def test_info_tells_of_index_sets_of_several_fields(user):
    user.saver.save([user(email=name, shop='s', sku=n) for n, name in enumerate('abc')])
    info = user.objects.info()
    assert info.together['shop, sku'].sets == 3 and not info.unused
    assert 'unique together: shop, sku: 3 values' in str(info)
    assert info.asDict()['together']['shop, sku']['sets'] == 3
