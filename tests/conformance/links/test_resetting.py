"""Replacing a data set whose objects link. The rule: what is linked is part of what is stored."""

from __future__ import annotations

import pytest
from support.keyspace import dump

from IndexedRedis import WrongKeyTypeError


def test_new_objects_of_other_models_are_saved_before(books, authors):
    ann = authors(name='Ann')
    found = [books(title=title, author=ann) for title in ('a', 'b')]
    pks = books.reset(found)
    assert [book._id for book in found] == pks
    assert authors.objects.getPrimaryKeys() == [ann._id]
    assert sorted(books.objects.filter(author=ann).getPrimaryKeys()) == sorted(pks)
    assert not any(obj.hasUnsavedChanges() for obj in (*found, ann))


def test_changed_objects_of_other_models_are_saved_too(shelf, authors):
    found = shelf.objects.allByAge(cascadeFetch=True)
    found[0].author.name = 'Anna'
    assert shelf.reset(found) == [1, 2, 3]
    assert authors.objects.get(1).name == 'Anna'
    assert [obj.title for obj in shelf.objects.get(3).similar] == ['two', 'one']


def test_new_objects_of_the_same_model_become_part_of_the_data_set(shelf, raw):
    last = shelf(title='last')
    first = shelf(title='first', similar=[last])
    last.similar = [first]
    (pk,) = shelf.reset([first])
    assert (first._id, last._id) == (pk, last._id)
    assert [obj.title for obj in shelf.objects.allByAge()] == ['first', 'last']
    assert shelf.objects.get(pk).similar__id == [last._id]
    assert shelf.objects.filter(similar=[first]).first().title == 'last'
    assert not first.hasUnsavedChanges(cascadeObjects=True)
    assert b'_ir_|Linked:Book:data:1' not in dump(raw, expiring=False)


def test_objects_of_other_models_may_link_back(books, authors):
    ann = authors(name='Ann')
    book = books(title='a', author=ann)
    ann.favourite = book
    (pk,) = books.reset([book])
    assert authors.objects.get(ann._id).favourite__id == pk
    assert not book.hasUnsavedChanges(cascadeObjects=True)


def test_a_renumbered_list_keeps_its_links(shelf):
    copies = {obj._id: obj.copy() for obj in shelf.objects.all()}
    for copy in copies.values():
        copy.similar = [copies[pk] for pk in copy.similar__id or ()]
    pks = shelf.reset([copies[pk] for pk in (1, 2, 3)])
    assert pks == [4, 5, 6]
    assert shelf.objects.get(6).similar__id == [5, 4]


@pytest.mark.names_keys
def test_a_reset_that_fails_leaves_the_data_set_and_the_pks(shelf, authors, raw):
    new = shelf(title='new', author=authors(name='Cid'))
    raw.rename('_ir_|Linked:Book:keys', 'aside')
    raw.set('_ir_|Linked:Book:keys', 'text')
    with pytest.raises(WrongKeyTypeError):
        shelf.reset([new])
    assert new._id is None
    raw.rename('aside', '_ir_|Linked:Book:keys')
    assert shelf.objects.count() == 3
    (pk,) = shelf.reset([new])
    assert [obj.author.name for obj in shelf.objects.all()] == ['Cid']
    assert (new._id, authors.objects.count()) == (pk, 3)
