"""What a link can be given and what it gives. The rule: an attribute gives objects, `__id` gives
pks and never asks the server, everything else gives link data."""

from __future__ import annotations

import io

import pytest

from IndexedRedis import FieldValueError, irNull
from IndexedRedis.fields.foreign import ForeignLinkData, ForeignLinkMultiData


def link_data(obj, name):
    return obj.asDict(strKeys=True)[name]


@pytest.mark.parametrize('given', [1, '1', ' 1'])
def test_a_pk_is_a_link(shelf, given):
    book = shelf(author=given)
    assert book.author__id == 1
    assert book.author.name == 'Ann'
    assert book.save() == [4]
    assert shelf.objects.get(4).author.name == 'Ann'


def test_an_object_is_a_link_and_is_given_back(shelf, authors, trips):
    ann = authors.objects.get(1)
    trips.clear()
    book = shelf(author=ann)
    assert book.author is ann
    assert book.author__id == 1
    assert trips == []


@pytest.mark.names_keys
@pytest.mark.parametrize('null', [None, irNull, 0, '0'])
def test_null_is_no_link(shelf, raw, null):
    for book in (shelf(title='x', author=null), shelf.objects.get(1)):
        book.author = null
        assert book.author is irNull
        assert book.author__id is irNull
        (pk,) = book.save()
        assert raw.hget(f'_ir_|Linked:Book:data:{pk}', 'author') == b'IRNullType()'
        assert shelf.objects.get(pk).author is irNull
        assert pk in shelf.objects.filter(author=None).getPrimaryKeys()


def test_link_data_is_a_link(shelf):
    first, third = shelf.objects.get(1), shelf.objects.get(3)
    book = shelf(author=link_data(first, 'author'), similar=link_data(third, 'similar'))
    assert (book.author__id, book.similar__id) == (1, [2, 1])
    book.similar = [1, ForeignLinkData(shelf, 3)]
    assert book.similar__id == [1, 3]


NO_PKS = [True, False, -1, '-1', 2**53, '1_0', '+1', '\u0661']


@pytest.mark.parametrize(
    'wrong', [b'1', 1.0, 0.0, 'x', '', '1,2', [1], ..., ForeignLinkMultiData, *NO_PKS], ids=repr
)
def test_anything_else_is_refused_and_changes_nothing(shelf, wrong):
    book = shelf.objects.get(1)
    with pytest.raises(FieldValueError, match=r'Book\.author: cannot hold'):
        book.author = wrong
    with pytest.raises(ValueError, match=r'Book\.author: cannot hold'):
        shelf(author=wrong)
    assert book.author__id == 1
    assert not book.hasUnsavedChanges()


@pytest.mark.parametrize('wrong', NO_PKS, ids=repr)
def test_link_data_that_holds_no_pk_is_refused(shelf, authors, wrong):
    book = shelf.objects.get(3)
    with pytest.raises(FieldValueError, match=r'Book\.author: cannot hold'):
        book.author = ForeignLinkData(authors, wrong)
    with pytest.raises(FieldValueError, match=r'Book\.similar: cannot hold'):
        book.similar = ForeignLinkMultiData(shelf, [1, wrong])
    with pytest.raises(FieldValueError, match=r'Book\.author: cannot hold'):
        book.author__id = wrong
    with pytest.raises(FieldValueError, match=r'Book\.author: cannot hold'):
        shelf.objects.filter(author=wrong)
    assert (book.author__id, book.similar__id) == (2, [2, 1])


WRONG_LISTS = [1, b'1,2', 'x', '1,x', '1,-1', [b'1'], [1.0], [[1]], {1: 2}, ..., '0', [0]]


@pytest.mark.parametrize('wrong', [*WRONG_LISTS, *([1, pk] for pk in NO_PKS)], ids=repr)
def test_a_multi_link_takes_lists_only(shelf, wrong):
    book = shelf.objects.get(3)
    with pytest.raises(FieldValueError, match=r'Book\.similar: cannot hold'):
        book.similar = wrong
    assert book.similar__id == [2, 1]


def test_objects_and_data_of_another_model_are_refused(shelf, authors):
    book, ann = shelf.objects.get(1), authors.objects.get(1)
    with pytest.raises(FieldValueError, match='means Book, but the field links to Author'):
        book.author = shelf.objects.get(2)
    with pytest.raises(FieldValueError, match='means Author, but the field links to Book'):
        book.similar = [2, ann]
    with pytest.raises(FieldValueError, match='means Author'):
        book.similar = ForeignLinkMultiData(authors, [1])
    with pytest.raises(FieldValueError, match='means Author'):
        ann.favourite = link_data(book, 'author')
    with pytest.raises(FieldValueError, match='cannot hold'):
        book.author = authors


def test_objects_of_copies_and_other_connections_of_the_model_are_accepted(shelf, authors):
    for variant in (authors.copyModel(), authors.connectAlt({'socket_timeout': 4.0})):
        ann = variant.objects.get(1)
        book = shelf(author=ann)
        assert book.author is ann
        assert book.author__id == 1


def test_objects_of_another_model_that_inherits_are_refused(shelf, authors):
    class Ghost(authors):
        KEY_NAME = 'Linked:Ghost'

    with pytest.raises(FieldValueError, match='means Ghost'):
        shelf(author=Ghost(name='x'))


def test_the_pk_of_an_unsaved_object_is_there_once_it_is_saved(books, authors, trips):
    ann = authors(name='Ann')
    book = books(author=ann, similar=[books(title='x'), 7])
    assert book.author is ann
    assert (book.author__id, book.similar__id) == (None, [None, 7])
    assert trips == []
    ann.save()
    assert book.author__id == 1


def test_assigning_the_pk_links_to_another_object(shelf):
    book = shelf.objects.get(1)
    assert book.author.name == 'Ann'
    book.author__id = 2
    assert book.author.name == 'Bob'
    book.similar__id = [3]
    book.save()
    again = shelf.objects.get(1)
    assert (again.author__id, again.similar__id) == (2, [3])
    again.author__id = None
    assert again.author is irNull
    with pytest.raises(FieldValueError):
        again.author__id = 'x'
    with pytest.raises(AttributeError):
        again.title__id


@pytest.mark.names_keys
def test_lists_keep_their_order_and_drop_nulls(shelf, raw):
    first, second = shelf.objects.getMultiple([1, 2])
    book = shelf(similar=[None, second, irNull, '1', 3, first, 2])
    assert book.similar__id == [2, 1, 3, 1, 2]
    assert book.similar[0] is second
    book.save()
    assert raw.hget('_ir_|Linked:Book:data:4', 'similar') == b'2,1,3,1,2'
    assert [obj.title for obj in shelf.objects.get(4).similar] == [
        'two',
        'one',
        'three',
        'one',
        'two',
    ]
    assert shelf(similar=(2, 1)).similar__id == [2, 1]
    assert sorted(shelf(similar={2, 1}).similar__id) == [1, 2]
    assert shelf(similar='2, 1').similar__id == [2, 1]


@pytest.mark.names_keys
@pytest.mark.parametrize('empty', [[], (), set(), [None, irNull]])
def test_an_empty_list_is_stored_as_null(shelf, raw, empty):
    book = shelf.objects.get(3)
    book.similar = empty
    assert book.similar is irNull
    assert len(book.similar) == 0
    book.save()
    assert raw.hget('_ir_|Linked:Book:data:3', 'similar') == b'IRNullType()'
    assert shelf.objects.get(3).similar is irNull
    assert sorted(shelf.objects.filter(similar=empty).getPrimaryKeys()) == [1, 2, 3]


def test_a_list_changed_in_place_changes_nothing(shelf):
    book = shelf.objects.get(3)
    book.similar.append(shelf.objects.get(3))
    book.similar.clear()
    assert book.similar__id == [2, 1]
    assert len(book.similar) == 2
    assert not book.hasUnsavedChanges()
    given = [1, 2]
    book.similar = given
    given.append(3)
    assert book.similar__id == [1, 2]


def test_what_shows_links_gives_link_data_and_asks_no_server(shelf, trips):
    book = shelf.objects.get(3)
    trips.clear()
    for shown in (book.asDict(), book.toDict(strKeys=True)):
        author, similar = shown['author'], shown['similar']
        assert type(author) is ForeignLinkData
        assert type(similar) is ForeignLinkMultiData
        assert (author.pk, author['pk'], author.getPk(), author.getPks()) == (2, 2, 2, [2])
        assert (similar.pk, similar.getPk(), similar['obj']) == ([2, 1], [2, 1], [None, None])
        assert (author.isFetched(), similar.isFetched(), author.obj) == (False, False, None)
        assert author.foreignModel is type(book).FIELDS['author'].foreignModel
        with pytest.raises(KeyError):
            author['other']
    assert book.asDict(forStorage=True) == {'title': 'three', 'author': '2', 'similar': '2,1'}
    assert repr(book) == (
        'Book(_id="3", title=\'three\', author=ForeignLinkData(Author, pk=2), '
        'similar=ForeignLinkMultiData(Book, pk=[2, 1]))'
    )
    book.pprint(io.StringIO())
    book.author = 1
    assert book.hasUnsavedChanges()
    (changed,) = book.getUpdatedFields().items()
    assert (changed[0], changed[1][0].pk, changed[1][1].pk) == ('author', 2, 1)
    assert (book._origData['author'].pk, book._origData['similar'].pk) == (2, [2, 1])
    assert trips == []


@pytest.mark.plain_model
def test_link_data_fetches_what_is_missing_when_asked(shelf, trips):
    data = shelf.objects.get(3).asDict()
    two = shelf.objects.get(2)
    trips.clear()
    assert data['author'].getObj() is data['author'].getObjs()[0] is data['author'].obj
    partly = ForeignLinkMultiData(shelf, [2, 1, 99], [two, None, None])
    found = partly.getObjs()
    assert found[0] is two
    assert [found[1].title, found[2]] == ['one', None]
    assert len(trips) == 2
    assert not partly.isFetched()
    assert partly != data['similar']
    assert ForeignLinkData(shelf, 1) == ForeignLinkData(shelf, 1, two)
    assert ForeignLinkData(shelf, 1) != ForeignLinkMultiData(shelf, [1])
