"""The lookups, and what names mean. The rule: an exact field name wins, then a lookup, then a path;
what cannot be asked is refused by name, with what can."""

from __future__ import annotations

import pytest

from IndexedRedis import FieldValueError, IRField, QueryError, UsageError, irNull
from IndexedRedis._core.expressions.tree import HasPk, InSets, Linked, Not
from IndexedRedis.fields import IRForeignLinkField, IRForeignMultiLinkField
from unit.build import define

ARTIST = define('name', 'land', 'in', 'note', indexed=['name', 'land', 'in'], name='Artist')
REMAKE = define(IRForeignLinkField('artist', ARTIST), indexed=['artist'], name='Remake')
SONG = define(
    *('title', 'genre', 'genre__in', 'genre__x', 'artist__in__land'),
    IRField('year', valueType=int),
    IRForeignLinkField('artist', ARTIST),
    IRForeignLinkField('lead__artist', ARTIST),
    IRForeignLinkField('remake', REMAKE),
    IRForeignMultiLinkField('covers', ARTIST),
    indexed=[
        *('genre', 'genre__in', 'genre__x', 'artist__in__land', 'year'),
        *('artist', 'lead__artist', 'remake', 'covers'),
    ],
)


def column(name):
    return SONG._validated().columns[name]


def shown(value):
    """Return an id of a test, without addresses in memory."""
    return repr(value).partition(' at 0x')[0]


def one(**lookups):
    (node,) = SONG.objects.filter(**lookups)._filters
    return node


@pytest.mark.parametrize(
    ('name', 'value', 'field', 'values'),
    [
        ('year', 5, 'year', (b'5',)),
        ('year__eq', '5', 'year', (b'5',)),
        ('year__in', [5, '5', 6.0], 'year', (b'5', b'6')),
        ('year__in', range(2), 'year', (b'0', b'1')),
        ('year__in', iter([1]), 'year', (b'1',)),
        ('year__in', {7: 'x'}, 'year', (b'7',)),
        ('year__in', [], 'year', ()),
        ('genre', 'a', 'genre', (b'a',)),
        ('genre__in__in', ['a', None], 'genre__in', (b'a', b'IRNullType()')),
        ('year__in', [irNull], 'year', (b'IRNullType()',)),
        ('year__isnull', True, 'year', (b'IRNullType()',)),
        ('artist', 7, 'artist', (b'7',)),
        ('artist__in', [7, '8'], 'artist', (b'7', b'8')),
        ('artist__pk', 7, 'artist', (b'7',)),
        ('artist__id', 7, 'artist', (b'7',)),
        ('artist__pk__in', (7, 8), 'artist', (b'7', b'8')),
        ('lead__artist__eq', 7, 'lead__artist', (b'7',)),
        ('covers', [1, 2], 'covers', (b'1,2',)),
        ('covers__in', [[1, 2], [3]], 'covers', (b'1,2', b'3')),
        # an exact field name wins over a lookup and over a path
        ('genre__in', 'a', 'genre__in', (b'a',)),
        ('genre__x', 'a', 'genre__x', (b'a',)),
        ('artist__in__land', 'a', 'artist__in__land', (b'a',)),
    ],
    ids=shown,
)
def test_a_lookup_is_a_set_of_index_values(name, value, field, values):
    found = one(**{name: value})
    assert (found.column, found.values) == (column(field), values)


def test_negations():
    assert one(year__ne=5) == Not(InSets(column('year'), (b'5',)))
    assert one(year__isnull=False) == Not(InSets(column('year'), (b'IRNullType()',)))
    assert one(pk__ne=5) == Not(HasPk((5,)))
    (node,) = SONG.objects.exclude(year__in=[1, 2])._filters
    assert node == Not(InSets(column('year'), (b'1', b'2'), 'in'))


def test_the_primary_key():
    assert one(pk=5) == one(pk__eq='5') == HasPk((5,))
    assert one(pk__in=[3, '4', 3]) == HasPk((3, 4), 'in')
    with pytest.raises(UsageError, match="'x' is no primary key"):
        SONG.objects.filter(pk='x')
    with pytest.raises(QueryError, match=r"unknown lookup 'pk__isnull'.*pk__ne, pk__in"):
        SONG.objects.filter(pk__isnull=True)


def test_a_field_called_pk_wins():
    model = define('pk', indexed=['pk'], name='Odd')
    (node,) = model.objects.filter(pk='a')._filters
    assert node.values == (b'a',)
    (node,) = model.objects.filter(pk__in=['a'])._filters
    assert node.values == (b'a',)


def test_a_path_follows_one_link():
    found = one(artist__name='AC/DC')
    schema = ARTIST._validated()
    inner = InSets(schema.columns['name'], (b'AC/DC',))
    assert found == Linked(column('artist'), schema, inner, 'artist__name')
    assert one(lead__artist__name__ne='x').node == Not(inner._replace(values=(b'x',)))
    assert one(artist__land__in=['x', 'y']).node.values == (b'x', b'y')
    # the lookup wins; a field of the linked model that is called like it has a longer name
    assert type(one(artist__in=[1])) is InSets
    assert one(artist__in__eq='x').node == InSets(schema.columns['in'], (b'x',))


@pytest.mark.parametrize(
    ('given', 'fragments'),
    [
        ({'artist__nix': 1}, ["Artist has no field 'nix'"]),
        ({'artist__note': 1}, ['Artist.note is not indexed']),
        ({'artist__name__like': 1}, ["Artist: unknown lookup 'name__like'"]),
        ({'remake__artist__name': 1}, ['remake__artist__name follows two links']),
        ({'covers__title': 1}, ['Song.covers links to a list', "'covers__title'"]),
        ({'year__name': 1}, ["unknown lookup 'year__name'"]),
        (
            {'genre__like': 1},
            ["unknown lookup 'genre__like'", 'genre__ne, genre__in, genre__isnull'],
        ),
        ({'_id': 1}, ["Song has no field '_id'", "Did you mean 'pk'"]),
    ],
    ids=repr,
)
def test_what_cannot_be_asked_is_refused(given, fragments):
    with pytest.raises(QueryError) as caught:
        SONG.objects.filter(**given)
    assert all(fragment in str(caught.value) for fragment in fragments), caught.value


def test_a_linked_field_called_id_is_not_confused_with_the_pk():
    target = define('id', 'name', indexed=['id', 'name'], name='Target')
    source = define(IRForeignLinkField('to', target), indexed=['to'], name='Source')
    for name in ('to__id', 'to__id__in'):
        with pytest.raises(QueryError, match='could mean the pk or the field'):
            source.objects.filter(**{name: [1]})
    assert source.objects.filter(to__pk=1)._filters[0].values == (b'1',)


@pytest.mark.parametrize(
    'several',
    [
        ['a', 'b'],
        ('a',),
        {'a'},
        frozenset('a'),
        {'a': 1},
        range(3),
        iter('ab'),
        [],
        (x for x in 'a'),
    ],
    ids=shown,
)
def test_plain_equality_refuses_several_values_and_names_in(several):
    with pytest.raises(FieldValueError, match=r'Song\.genre: cannot hold .*genre__in=\[\.\.\.\]'):
        SONG.objects.filter(genre=several)
    with pytest.raises(FieldValueError, match=r'Song\.year: cannot hold .*year__in=\[\.\.\.\]'):
        SONG.objects.filter(year=several)
    with pytest.raises(FieldValueError, match=r'Song\.genre: cannot hold .*genre__in=\[\.\.\.\]'):
        SONG.objects.filter(genre__ne=several)


@pytest.mark.parametrize('one_value', ['abc', b'abc', 5, None, irNull, bytearray(b'x')], ids=repr)
def test_in_refuses_one_value(one_value):
    for name in ('genre__in', 'pk__in'):
        with pytest.raises(QueryError, match='takes a list of values'):
            SONG.objects.filter(**{'genre__in__in' if name == 'genre__in' else name: one_value})


def test_in_refuses_a_query():
    """Iterating it would block a running event loop."""
    with pytest.raises(QueryError, match='getPrimaryKeys'):
        SONG.objects.filter(artist__in=ARTIST.objects.filter(name='x'))


@pytest.mark.parametrize('value', [1, 0, None, 'True', irNull], ids=repr)
def test_isnull_takes_true_or_false(value):
    with pytest.raises(QueryError, match=r'Song\.year: __isnull takes True or False'):
        SONG.objects.filter(year__isnull=value)


def test_in_names_the_value_that_the_field_cannot_hold():
    with pytest.raises(FieldValueError, match=r"Song\.year: cannot hold 'x'"):
        SONG.objects.filter(year__in=[1, 'x'])
