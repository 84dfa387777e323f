"""resetMany(). The rule: several data sets go live in one moment, with their links among them."""

from __future__ import annotations

import pytest
from support import linked
from support.keyspace import dump, key_names

import IndexedRedis as IR
from IndexedRedis import FieldValueError, IRField, ResetInProgressError, UsageError


@pytest.fixture
def shops(make_model):
    """Two models that know nothing of each other."""
    return [
        make_model([IRField('name'), IRField('n', valueType=int)], ['n'], key_name=name)
        for name in ('Shop', 'Shelf')
    ]


def names(model):
    return [obj.name for obj in model.objects.allByAge()]


@pytest.mark.parametrize('kind', [list, tuple, iter])
@pytest.mark.parametrize('groups', [list, dict, iter])
def test_all_models_get_their_new_data(shops, kind, groups):
    shop, shelf = shops
    shop.saver.save([shop(name='old', n=1)])
    shelf.saver.save([shelf(name='old', n=n) for n in range(3)])
    objs = {shop: [shop(name='a', n=1), shop(name='b', n=2)], shelf: [shelf(name='c', n=1)]}
    pairs = [(model, kind(new)) for model, new in objs.items()]
    assert IR.resetMany(groups(pairs)) == [[2, 3], [4]]
    assert (names(shop), names(shelf)) == (['a', 'b'], ['c'])
    assert shelf.objects.filter(n=0).count() == shelf.objects.filter(n=2).count() == 0
    assert [obj._id for new in objs.values() for obj in new] == [2, 3, 4]
    assert not any(obj.hasUnsavedChanges() for new in objs.values() for obj in new)


@pytest.mark.names_keys
def test_they_go_live_in_one_command(shops, trips):
    shop, shelf = shops
    IR.resetMany([(shop, [shop(name='a', n=1)]), (shelf, [shelf(name='b', n=1)])])
    both = {b'_ir_|Shop:keys', b'_ir_|Shelf:keys'}
    assert len([command for trip in trips for command in trip if both <= {*command}]) == 1


@pytest.mark.plain_model
def test_nothing_at_all(shops, raw):
    assert IR.resetMany([]) == []
    assert IR.resetMany([(model, []) for model in shops]) == [[], []]
    assert raw.keys('*') == []


@pytest.mark.parametrize('order', [0, 1], ids=['targets first', 'targets last'])
@pytest.mark.parametrize('kind', [list, iter])
def test_links_lead_to_the_new_pks(authors, books, order, kind):
    authors.saver.save([authors(name='old') for _ in range(5)])
    ann, bob = authors(name='Ann'), authors(name='Bob')
    one = books(title='one', author=ann)
    two, three = books(title='two', author=bob, similar=[one]), books(title='three', author=ann)
    pairs = [(authors, kind([ann, bob])), (books, kind([one, two, three]))]
    IR.resetMany(pairs[::-1] if order else pairs)
    if kind is list:
        assert [obj._id for obj in (ann, bob, one, two, three)] == [6, 7, 1, 2, 3]
    found = books.objects.allByAge(cascadeFetch=True)
    assert [(book.title, book.author.name) for book in found] == [
        ('one', 'Ann'),
        ('two', 'Bob'),
        ('three', 'Ann'),
    ]
    assert [book.title for book in found[1].similar] == ['one']
    assert books.objects.filter(author=ann).count() == 2
    assert names(authors) == ['Ann', 'Bob']
    assert not any(obj.hasUnsavedChanges(cascadeObjects=True) for obj in (one, two, three))


def test_a_target_that_only_links_lead_to_becomes_part_of_its_data_set(authors, books):
    book = books(title='one', author=authors(name='Ann'))
    assert IR.resetMany([(authors, []), (books, [book])]) == [[], [1]]
    assert names(authors) == ['Ann']
    assert books.objects.first().author.name == 'Ann'


def test_a_target_in_a_model_that_is_not_replaced_is_saved(authors, books, shops):
    authors(name='Zoe').save()
    shop, _ = shops
    book = books(title='one', author=authors(name='Ann'))
    IR.resetMany([(shop, [shop(name='a', n=1)]), (books, [book])])
    assert names(authors) == ['Zoe', 'Ann']
    assert books.objects.filter(author=2).count() == 1


def test_links_across_a_generator_lead_forwards_and_backwards(books):
    titles = [f't{i}' for i in range(2500)]
    objs = [books(title=title) for title in titles]
    objs[3].similar = [objs[2400], objs[1]]
    objs[2400].similar = [objs[3]]
    assert len(books.reset(obj for obj in objs)) == 2500
    found = books.objects.all(cascadeFetch=True).filter(title__in=['t3', 't2400'])
    links = {book.title: [each.title for each in book.similar] for book in found}
    assert links == {'t3': ['t2400', 't1'], 't2400': ['t3']}
    assert sorted(book.title for book in books.objects.all()) == sorted(titles)


@pytest.mark.plain_model
@pytest.mark.parametrize('bad', [0, 1])
def test_a_value_that_cannot_be_stored_leaves_all_as_it_was(shops, raw, bad):
    for model in shops:
        model.saver.save([model(name='old', n=1)])
    before = dump(raw)
    groups = [(model, [model(name='new', n=n) for n in range(300)]) for model in shops]
    object.__getattribute__(groups[bad][1][299], '__dict__')['name'] = '\ud800'
    with pytest.raises(FieldValueError):
        IR.resetMany(groups)
    after = dump(raw)
    for model in shops:
        next_pk = f'_ir_|{model.KEY_NAME}:next'.encode()
        before.pop(next_pk), after.pop(next_pk)
    assert after == before
    assert all(obj._id is None for _, objs in groups for obj in objs)


@pytest.mark.names_keys
def test_a_generator_that_fails_leaves_all_as_it_was(shops, raw):
    shop, shelf = shops
    shop.saver.save([shop(name='old', n=1)])

    def failing():
        for n in range(1500):
            yield shop(name='new', n=n)
        raise OSError('the source broke')

    with pytest.raises(OSError, match='the source broke'):
        IR.resetMany([(shelf, [shelf(name='new', n=1)]), (shop, failing())])
    assert (names(shop), names(shelf)) == (['old'], [])
    assert key_names(raw, '*:tmp:*') == []
    assert raw.keys('*:data:*') == [b'_ir_|Shop:data:1']


@pytest.mark.parametrize('twice', [list, iter])
def test_the_same_object_twice(shops, twice):
    shop, _ = shops
    objs = [shop(name=str(n), n=n) for n in range(1200)]
    with pytest.raises(UsageError, match='twice'):
        shop.reset(twice([*objs, objs[0]]))
    assert shop.objects.count() == 0


@pytest.mark.plain_model
def test_a_pk_that_a_generator_gave_away_already(shops):
    shop, _ = shops
    objs = [shop(name=str(n), n=n) for n in range(1000)]
    with pytest.raises(UsageError, match='pk 7 belongs to an earlier object'):
        shop.reset(iter([*objs, shop(_id=7, name='late', n=7)]))
    assert shop.objects.count() == 0
    assert shop.reset([*objs, shop(_id=7, name='late', n=7)])[-1] == 7


@pytest.mark.names_keys
def test_what_cannot_be(shops, make_model):
    shop, shelf = shops
    for groups, text in [
        ([(shop, []), (shop, [])], 'same model'),
        ([(shop, []), (shop.connectAlt({'db': 0}), [])], 'same model'),
        ([('Shop', [])], 'is no model'),
        ([(shop, 5)], 'neither an object nor a list'),
        ([(shop, []), (shelf.connectAlt({'db': 3}), [])], 'different servers'),
        ([(shop, [shelf(name='a')])], 'no object of'),
        ([(shop, iter([shelf(name='a')]))], 'no object of'),
    ]:
        with pytest.raises(UsageError, match=text):
            IR.resetMany(groups)


@pytest.mark.names_keys
def test_another_reset_of_one_of_them(shops, raw, monkeypatch):
    shop, shelf = shops
    monkeypatch.setattr('IndexedRedis._core.locking.locks.WAIT_SECONDS', 0.2)
    raw.set('_ir_|Shop:tmp:lock', 'somebody', px=60_000)
    with pytest.raises(
        ResetInProgressError, match='a reset, or another write of many objects, is under way'
    ):
        IR.resetMany([(shelf, [shelf(name='a', n=1)]), (shop, [shop(name='a', n=1)])])
    assert raw.keys('*') == [b'_ir_|Shop:tmp:lock']
    raw.delete('_ir_|Shop:tmp:lock')


def test_the_models_of_the_demo(watch_models):
    """Three levels of links, the order of the issue."""
    watch_models(linked.Author, linked.Book)
    author = linked.Author(name='Ann')
    objs = [linked.Book(title=f't{n}', author=author) for n in range(600)]
    IR.resetMany({linked.Book: objs, linked.Author: []})
    assert linked.Book.objects.filter(author=author).count() == 600
