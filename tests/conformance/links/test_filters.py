"""Filters by links. The rule: what may be assigned may be looked for; a multi link is found by its
whole list, in order."""

from __future__ import annotations

import pytest
from support.keyspace import dump

from IndexedRedis import FieldValueError, irNull


def pks(query):
    return sorted(query.getPrimaryKeys())


@pytest.mark.parametrize('how', ['pk', 'digits', 'object', 'link data', 'object of a copy'])
def test_a_single_link_is_found_by_whatever_names_its_target(shelf, authors, how):
    ann = authors.objects.get(1)
    value = {
        'pk': 1,
        'digits': '1',
        'object': ann,
        'link data': shelf.objects.get(1).asDict(strKeys=True)['author'],
        'object of a copy': authors.copyModel().objects.get(1),
    }[how]
    assert pks(shelf.objects.filter(author=value)) == [1, 2]
    assert pks(shelf.objects.filter(author__ne=value)) == [3]
    assert sorted(obj._id for obj in shelf.objects.filter(author=value, title='two').all()) == [2]


@pytest.mark.parametrize('null', [None, irNull, 'IRNullType()'])
def test_null_links_are_found(shelf, null):
    shelf(title='none').save()
    assert pks(shelf.objects.filter(author=null)) == [4]
    assert pks(shelf.objects.filter(author__ne=null)) == [1, 2, 3]
    assert pks(shelf.objects.filter(similar=null)) == [1, 2, 4]
    assert pks(shelf.objects.filter(similar__ne=null)) == [3]


@pytest.mark.parametrize(
    'how', ['pks', 'digits', 'mixed', 'tuple', 'text', 'text with blanks', 'link data', 'nulls']
)
def test_a_multi_link_is_found_by_its_whole_list(shelf, how):
    value = {
        'pks': [2, 1],
        'digits': ['2', '1'],
        'mixed': [shelf.objects.get(2), 1],
        'tuple': (2, '1'),
        'text': '2,1',
        'text with blanks': '2, 1',
        'link data': shelf.objects.get(3).asDict(strKeys=True)['similar'],
        'nulls': [None, 2, irNull, 1],
    }[how]
    assert pks(shelf.objects.filter(similar=value)) == [3]
    assert [obj.title for obj in shelf.objects.filter(similar=value).all()] == ['three']
    assert pks(shelf.objects.filter(similar__ne=value)) == [1, 2]


@pytest.mark.parametrize('value', [[2], [1], [1, 2], [2, 1, 3], '2'])
def test_a_part_or_another_order_finds_nothing(shelf, value):
    assert pks(shelf.objects.filter(similar=value)) == []


@pytest.mark.parametrize('value', ['x', b'1', 1.0, object()])
def test_what_cannot_be_assigned_cannot_be_looked_for(shelf, value):
    with pytest.raises(FieldValueError, match=r'Book\.author'):
        shelf.objects.filter(author=value)
    with pytest.raises(FieldValueError, match=r'Book\.similar'):
        shelf.objects.filter(similar=value)


def test_an_object_of_another_model_cannot_be_looked_for(shelf):
    with pytest.raises(FieldValueError, match='means Book'):
        shelf.objects.filter(author=shelf.objects.get(1))


@pytest.mark.plain_model
def test_updates_move_the_index(shelf, raw, check):
    def listed():
        found = dump(raw)
        names = sorted(name for name in found if b'Book:idx:author' in name or b'similar' in name)
        return {name.rpartition(b'idx:')[2]: found[name] for name in names}

    one, two = shelf.objects.getMultiple([1, 2])
    one.author, one.similar = 2, [3, 2]
    two.author = irNull
    shelf.saver.save([one, two])
    assert listed() == {
        b'author:2': {b'1', b'3'},
        b'author:IRNullType()': {b'2'},
        b'similar:3,2': {b'1'},
        b'similar:2,1': {b'3'},
        b'similar:IRNullType()': {b'2'},
    }
    check()
    one.similar, two.author = irNull, '1'
    shelf.saver.save([one, two])
    three = shelf.objects.get(3)
    three.similar = [1, 2]
    three.save()
    assert listed() == {
        b'author:1': {b'2'},
        b'author:2': {b'1', b'3'},
        b'similar:1,2': {b'3'},
        b'similar:IRNullType()': {b'1', b'2'},
    }
    assert shelf.objects.reindex() == 3
    three.delete()
    assert listed()[b'author:2'] == {b'1'}


@pytest.mark.names_keys
def test_the_key_of_an_index_can_be_asked_for(shelf, authors):
    key = shelf.objects._get_key_for_index
    author, similar = shelf.FIELDS['author'], shelf.FIELDS['similar']
    assert (
        key(author, 1) == key('author', authors.objects.get(1)) == '_ir_|Linked:Book:idx:author:1'
    )
    assert key(similar, [2, 1]) == '_ir_|Linked:Book:idx:similar:2,1'
    assert key(author, irNull) == '_ir_|Linked:Book:idx:author:IRNullType()'


def test_clients_can_filter_what_was_fetched(shelf, authors):
    found = shelf.objects.allByAge()
    ann = authors.objects.get(1)
    assert [obj._id for obj in found.filter(author__id__eq=1)] == [1, 2]
    assert [obj._id for obj in found.filter(author=ann)] == [1, 2]
    assert [obj._id for obj in found.filter(similar__id__contains=1)] == [3]
    assert [obj._id for obj in found.filter(similar__isnull=True)] == [1, 2]
