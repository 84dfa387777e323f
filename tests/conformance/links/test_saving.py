"""Saving what is linked. The rule: children first, all or nothing, and links get the pks that their
targets get in the same transaction."""

from __future__ import annotations

import pytest
from support.keyspace import dump

from IndexedRedis import IRField, ObjectGoneError, WrongKeyTypeError, irNull
from IndexedRedis._core.writes.inserts.insert import INSERT
from IndexedRedis.fields import IRForeignLinkField, IRPickleField

BOOK, AUTHOR = '_ir_|Linked:Book:data:', '_ir_|Linked:Author:data:'


@pytest.fixture
def family(authors, books):
    """Unsaved objects in a circle: two books of one author, whose favourite is the second."""
    ann = authors(name='Ann')
    one = books(title='one', author=ann)
    two = books(title='two', author=ann, similar=[one])
    ann.favourite = two
    return ann, one, two


@pytest.mark.names_keys
def test_new_targets_are_saved_along(family, raw, check):
    ann, one, two = family
    (pk,) = two.save()
    assert [obj.hasUnsavedChanges(cascadeObjects=True) for obj in family] == [False] * 3
    assert two._id == pk == ann.favourite__id
    assert raw.hgetall(f'{AUTHOR}{ann._id}')[b'favourite'] == b'%d' % pk
    assert raw.hmget(f'{BOOK}{pk}', 'author', 'similar') == [b'%d' % ann._id, b'%d' % one._id]
    assert raw.smembers(f'_ir_|Linked:Book:idx:author:{ann._id}') == {b'1', b'2'}
    check()


@pytest.mark.plain_model
def test_changed_targets_are_saved_along_and_others_are_left_alone(shelf, trips):
    three = shelf.objects.get(3, cascadeFetch=True)
    trips.clear()
    assert three.save() == [3]
    assert trips == []
    three.author.name = 'Rob'
    three.similar[1].title = 'uno'
    assert not three.hasUnsavedChanges()
    assert three.save() == [3]
    assert len(trips) == 1
    again = shelf.objects.get(3)
    assert (again.author.name, again.similar[1].title) == ('Rob', 'uno')


@pytest.mark.names_keys
def test_without_cascading_targets_stay_unsaved_and_out(family, books, raw):
    ann, one, two = family
    assert two.saver.save(two, cascadeSave=False) == [1]
    assert two.hasUnsavedChanges() is False
    assert (ann._id, one._id) == (None, None)
    assert raw.hmget(f'{BOOK}1', 'author', 'similar') == [b'IRNullType()'] * 2
    assert (two.author, two.similar[0]) == (ann, one)
    one.save(cascadeSave=False)
    assert set(two.getUpdatedFields()) == {'similar'}
    assert two.getUpdatedFields()['similar'][0] is irNull
    ann.save(cascadeSave=False)
    assert set(two.getUpdatedFields()) == {'author', 'similar'}
    two.save(cascadeSave=False)
    assert raw.hmget(f'{BOOK}1', 'author', 'similar') == [b'1', b'2']
    assert not two.hasUnsavedChanges()
    again = books(similar=[books(), 1, books()])
    again.save(cascadeSave=False)
    assert raw.hget(f'{BOOK}{again._id}', 'similar') == b'1'


@pytest.mark.plain_model
def test_a_list_that_shares_targets_saves_them_once(books, authors, trips):
    ann = authors(name='Ann', favourite=books(title='zero'))
    found = [books(title=str(number), author=ann) for number in range(4)]
    found[0].similar = found[1:]
    assert books.saver.save(found) == [book._id for book in found]
    assert len({book._id for book in found} | {ann.favourite__id}) == 5
    assert (authors.objects.count(), books.objects.count()) == (1, 5)
    assert books.objects.filter(similar=found[1:]).getPrimaryKeys() == [found[0]._id]
    # Pks of each model, and one script for all.
    insert = INSERT.of(books.SORTED_FIELDS).sha
    assert [command[1] for trip in trips for command in trip].count(insert) == 1


@pytest.mark.large
def test_a_chain_may_be_longer_than_the_stack(books):
    last = first = books(title='0')
    for number in range(1, 5001):
        last = books(title=str(number), similar=[last])
    first.similar = [last]
    assert last.hasUnsavedChanges(cascadeObjects=True)
    last.save()
    assert books.objects.count() == 5001
    assert not last.hasUnsavedChanges(cascadeObjects=True)
    first.title = 'changed'
    assert set(last.getUpdatedFields(cascadeObjects=True)) == {'similar'}
    assert last.hasSameValues(last.copy())
    assert last == last.copy(copyPrimaryKey=True)
    last.save()
    assert books.objects.get(first._id).title == 'changed'


def test_a_target_that_was_deleted_is_not_stored_anew(shelf, authors):
    three = shelf.objects.get(3, cascadeFetch=True)
    bob = three.author
    bob.delete()
    three.title = 'changed'
    assert three.save() == [3]
    assert bob._id is None
    assert authors.objects.getPrimaryKeys() == [1]
    assert shelf.objects.get(3).author is None


def test_a_new_target_that_was_deleted_after_the_save_is_not_stored_anew(family, authors, books):
    ann, _, two = family
    two.save()
    ann.delete()
    two.title = 'changed'
    two.save()
    assert authors.objects.count() == 0
    assert books.objects.get(two._id).author is None


class Unstorable:
    """A value that a pickle field accepts, and that cannot be pickled."""

    def __reduce__(self):
        raise ValueError('not for storage')


@pytest.fixture
def branch(make_model):
    """Models for a chain of three: root, then middle, then leaf."""
    leaf = make_model([IRField('name'), IRPickleField('value')], ['name'])
    middle = make_model([IRField('name'), IRForeignLinkField('leaf', leaf)], ['leaf'])
    root = make_model([IRField('name'), IRForeignLinkField('middle', middle)], ['name', 'middle'])
    return root, middle, leaf


@pytest.mark.plain_model
@pytest.mark.parametrize('place', [0, 1, 2])
def test_a_wrong_key_type_anywhere_leaves_all_unsaved(branch, raw, place):
    root, middle, leaf = branch
    blocked = f'_ir_|{branch[place].KEY_NAME}:keys'
    obj = root(name='r', middle=middle(name='m', leaf=leaf(name='l')))
    every = [obj, obj.middle, obj.middle.leaf]
    raw.set(blocked, 'text')
    for _ in range(2):
        with pytest.raises(WrongKeyTypeError, match='nothing was written'):
            obj.save()
        assert [each._id for each in every] == [None] * 3
        assert [each.hasUnsavedChanges() for each in every] == [True] * 3
        assert all(name == blocked.encode() or b':next' in name for name in dump(raw))
    raw.delete(blocked)
    obj.save()
    found = root.objects.filter(middle=obj.middle).first(cascadeFetch=True)
    assert (found.name, found.middle.name, found.middle.leaf.name) == ('r', 'm', 'l')
    assert [model.objects.count() for model in branch] == [1, 1, 1]


@pytest.mark.plain_model
def test_a_value_that_cannot_be_stored_leaves_all_unsaved(branch, raw):
    root, middle, leaf = branch
    obj = root(name='r', middle=middle(name='m', leaf=leaf(name='l')))
    obj.middle.leaf.value = Unstorable()
    with pytest.raises(ValueError, match=rf'{leaf.__name__}\.value'):
        obj.save()
    assert dump(raw) == {}
    assert (obj._id, obj.middle._id, obj.middle.leaf._id) == (None, None, None)
    obj.middle.leaf.value = 'fine'
    assert obj.save() == [1]
    assert leaf.objects.first().value == 'fine'


def test_a_changed_target_that_is_gone_leaves_all_unsaved(branch, raw):
    root, middle, leaf = branch
    target = leaf(name='l')
    target.save()
    obj = root(name='r', middle=middle(name='m', leaf=target))
    leaf.deleter.deleteByPk(1)
    target.name = 'changed'
    before = dump(raw)
    with pytest.raises(ObjectGoneError, match=leaf.__name__):
        obj.save()
    left = {name: value for name, value in dump(raw).items() if not name.endswith(b':next')}
    assert left == {name: value for name, value in before.items() if not name.endswith(b':next')}
    assert (obj._id, obj.middle._id) == (None, None)
    assert target.getUpdatedFields() == {'name': ('l', 'changed')}
    obj.middle.leaf = leaf(name='new')
    obj.save()
    assert root.objects.get(obj._id, cascadeFetch=True).middle.leaf.name == 'new'


def test_two_handles_of_one_target_are_both_written(shelf, authors):
    one, two = shelf.objects.getMultiple([1, 2])
    one.author.born = 1951
    two.author.name = 'Anna'
    assert one.author is not two.author
    assert shelf.saver.save([one, two]) == [1, 2]
    ann = authors.objects.get(1)
    assert (ann.name, ann.born) == ('Anna', 1951)
    assert authors.objects.filter(name='Ann').count() == 0
    assert not one.hasUnsavedChanges(cascadeObjects=True)


PIPELINES = {
    'usePipeline=False': lambda book: book.saver.save(book, usePipeline=False),
    'save': lambda book: book.saver.save(book, conn=object()),
    'reindex': lambda book: book.saver.reindex([book], conn=object()),
    'convert': lambda book: book.saver.compat_convertHashedIndexes([book], conn=object()),
    'delete': lambda book: book.deleter.deleteOne(book, conn=object()),
}


@pytest.mark.parametrize('how', PIPELINES)
def test_pipelines_of_the_caller_are_refused_with_the_remedy(shelf, raw, how):
    book = shelf.objects.get(1)
    book.title = 'changed'
    before = dump(raw)
    with pytest.raises(ValueError, match='Pass all objects in one call'):
        PIPELINES[how](book)
    assert dump(raw) == before


def test_of_two_handles_that_change_the_same_field_the_last_wins(shelf, authors, check):
    found = shelf.objects.getMultiple([1, 2])
    for book, name in zip(found, ('Anna', 'Anne'), strict=True):
        book.author.name = name
        book.title = name
    found.save()
    check()
    assert authors.objects.get(1).name == 'Anne'
    assert authors.objects.filter(name='Anne').getPrimaryKeys() == [1]
    assert authors.objects.filter(name='Anna').count() == 0
    # Listing two handles is a mistake of the caller's, unless only links lead to one.
    with pytest.raises(ValueError, match='two objects with pk 1'):
        authors.saver.save([authors(_id=1, name='x'), authors(_id=1, name='y')])
