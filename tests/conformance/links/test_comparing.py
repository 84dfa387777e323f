"""Changes, equality, reload and copies of objects that link. The rule: only what is here already is
looked at, each object once."""

from __future__ import annotations

import copy
import pickle

import pytest

from IndexedRedis import ObjectGoneError, irNull


@pytest.fixture
def circle(authors, books):
    """A stored book of an author whose favourite it is, all fetched."""
    ann = authors(name='Ann')
    ann.favourite = books(title='one', author=ann)
    ann.save()
    return books.objects.get(1, cascadeFetch=True)


def test_unset_links_are_no_obstacle(books, authors):
    book = books(title='x')
    book.save()
    assert book.hasUnsavedChanges(cascadeObjects=True) is False
    assert book.getUpdatedFields(cascadeObjects=True) == {}
    assert book.reload() == {}
    assert authors(name='Ann', favourite=book).save() == [1]


def test_changes_of_targets_count_when_asked_for(circle):
    ann = circle.author
    assert not circle.hasUnsavedChanges(cascadeObjects=True)
    ann.name = 'Anna'
    assert not circle.hasUnsavedChanges()
    assert circle.hasUnsavedChanges(cascadeObjects=True)
    assert circle.getUpdatedFields() == {}
    ((name, (old, new)),) = circle.getUpdatedFields(cascadeObjects=True).items()
    assert (name, old, new.obj, new.objHasUnsavedChanges()) == ('author', new, ann, True)
    assert set(ann.getUpdatedFields(cascadeObjects=True)) == {'name'}
    circle.title = 'uno'
    assert set(circle.getUpdatedFields(cascadeObjects=True)) == {'title', 'author'}
    assert set(ann.getUpdatedFields(cascadeObjects=True)) == {'name', 'favourite'}
    circle.save()
    assert not ann.hasUnsavedChanges(cascadeObjects=True)
    assert (circle.hasUnsavedChanges(), ann.getUpdatedFields(cascadeObjects=True)) == (False, {})


def test_what_is_not_here_is_not_asked(shelf, trips):
    three, again = shelf.objects.get(3), shelf.objects.get(3)
    trips.clear()
    assert not three.hasUnsavedChanges(cascadeObjects=True)
    assert three == again
    assert three.hasSameValues(again)
    assert trips == []


def test_equality_looks_at_targets_of_both_sides(circle, books):
    other = books.objects.get(1, cascadeFetch=True)
    assert circle == other
    assert circle.diff(other) == {}
    other.author.name = 'Anna'
    assert circle != other
    assert not circle.hasSameValues(other)
    for same in (
        circle.hasSameValues(other, cascadeObject=False),
        circle.hasSameValues(other, cascadeObjects=False),
        circle.hasSameValues(other, False),
        circle.hasSameValues(books.objects.get(1)),
    ):
        assert same is True
    other.author = 7
    assert not circle.hasSameValues(other, cascadeObjects=False)
    assert set(circle.diff(other)) == {'author'}


@pytest.mark.plain_model
def test_reload_fetches_targets_that_are_here_anew(circle, books, authors, trips):
    other = authors.objects.get(1)
    other.name = 'Anna'
    other.save()
    ann = circle.author
    trips.clear()
    assert circle.reload(cascadeObjects=False) == {}
    assert (len(trips), circle.author, ann.name) == (1, ann, 'Ann')
    found = circle.reload()
    assert len(trips) == 3
    assert set(found) == {'author'}
    assert found['author'][0] is found['author'][1]
    assert found['author'][0].getObj() is ann is circle.author
    assert ann.name == 'Anna'
    assert circle.reload() == {}
    assert not circle.hasUnsavedChanges(cascadeObjects=True)


def test_reload_overwrites_a_link(shelf):
    three = shelf.objects.get(3, cascadeFetch=True)
    three.author, three.similar = 1, irNull
    found = three.reload()
    assert {name: [link and link.getPk() for link in pair] for name, pair in found.items()} == {
        'author': [1, 2],
        'similar': [irNull, [2, 1]],
    }
    assert (three.author.name, three.similar__id) == ('Bob', [2, 1])
    assert not three.hasUnsavedChanges()


def test_reload_lets_targets_go_that_are_gone(shelf, authors):
    three = shelf.objects.get(3, cascadeFetch=True)
    authors.deleter.deleteByPk(2)
    shelf.deleter.deleteByPk(2)
    assert set(three.reload()) == {'author', 'similar'}
    assert (three.author, three.author__id) == (None, 2)
    assert [getattr(obj, 'title', None) for obj in three.similar] == [None, 'one']
    assert three.reload() == {}
    shelf.deleter.deleteByPk(3)
    with pytest.raises(ObjectGoneError):
        three.reload()


def test_a_change_at_the_end_of_a_chain_shows_in_every_link_that_leads_there(shelf, authors):
    three = shelf.objects.get(3, cascadeFetch=True)
    other = authors.objects.get(1)
    other.name = 'Anna'
    other.save()
    assert set(three.reload()) == {'similar'}
    assert three.similar[0].author.name == 'Anna'
    authors.deleter.deleteByPk(1)
    assert set(three.reload()) == {'similar'}
    assert three.similar[0].author is None


def test_lists_reload_and_refetch(shelf, authors):
    found = shelf.objects.allByAge(cascadeFetch=True)
    other = authors.objects.get(1)
    other.name = 'Anna'
    other.save()
    shelf.deleter.deleteByPk(2)
    results = found.reload()
    assert set(results[0]) == {'author'}
    assert isinstance(results[1], KeyError)
    assert set(results[2]) == {'similar'}
    assert [getattr(obj, 'author__id', None) for obj in found.refetch()] == [1, None, 2]


@pytest.mark.parametrize(
    'how', [copy.copy, copy.deepcopy, lambda obj: obj.copy(False, True), lambda obj: obj.copy()]
)
def test_a_copy_copies_the_link_and_not_the_target(shelf, authors, how):
    three = shelf.objects.get(3, cascadeFetch=True)
    duplicate = how(three)
    assert (duplicate._id, duplicate.author__id, duplicate.similar__id) == (None, 2, [2, 1])
    assert duplicate.author is three.author
    assert duplicate.similar == three.similar
    duplicate.author = 1
    assert three.author__id == 2
    assert duplicate.save() == [4]
    assert (authors.objects.count(), shelf.objects.count()) == (2, 4)


def test_a_copy_of_an_unsaved_link_follows_its_target(books, authors):
    ann = authors(name='Ann')
    book = books(author=ann)
    for duplicate in (copy.copy(book), copy.deepcopy(book)):
        assert duplicate.author is ann
    duplicate.save()
    assert (duplicate.author__id, book.author__id, authors.objects.count()) == (1, 1, 1)


@pytest.mark.parametrize('protocol', range(pickle.HIGHEST_PROTOCOL + 1))
def test_objects_with_links_can_be_pickled(circle, authors, books, protocol, trips):
    def again(obj):
        return pickle.loads(pickle.dumps(obj, protocol))

    trips.clear()
    twin = again(circle)
    assert (twin, twin.author.name, twin.author.favourite) == (circle, 'Ann', twin)
    assert trips == []
    assert not twin.hasUnsavedChanges(cascadeObjects=True)
    changed = books.objects.get(1)
    changed.author, changed.similar = irNull, [1]
    twin = again(changed)
    assert set(twin.getUpdatedFields()) == {'author', 'similar'}
    assert twin.author is irNull
    twin.save()
    assert books.objects.get(1).similar[0].title == 'one'
    new = again(books(title='new', author=authors(name='Bob')))
    new.save()
    assert books.objects.get(2).author.name == 'Bob'
