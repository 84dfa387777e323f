"""The pydantic model of a model. The rule: what it shows is what is stored, or it is refused."""

from __future__ import annotations

import datetime
import decimal
import json
import sys
from typing import Any

import pytest
from samples import fields as samples
from samples import types as samples_types
from unit.build import define

from IndexedRedis import IRField, IRRawField, LinkNotFetchedError, UsageError, irNull
from IndexedRedis.fields import (
    IRCompressedField,
    IRForeignLinkField,
    IRForeignMultiLinkField,
    IRPickleField,
)

pydantic = pytest.importorskip('pydantic', reason='the extra pydantic is not installed')

TABLE = [*samples.SAMPLES, *samples_types.SAMPLES]


def shown(obj, **choices):
    """Return an object as JSON has it."""
    return json.loads(type(obj).pydantic(**choices).model_validate(obj).model_dump_json())


@pytest.fixture
def linked(make_model):
    """Models of tracks, albums and artists."""
    Artist = make_model(['name'])
    Album = make_model(['title', IRForeignLinkField('artist', Artist)])
    links = [IRForeignLinkField('album', Album), IRForeignMultiLinkField('guests', Artist)]
    return make_model(['name', *links]), Album, Artist


@pytest.mark.parametrize('sample', TABLE, ids=lambda sample: f'{sample.make}-{sample.given!r}')
def test_every_value_is_shown_as_it_is_fetched(sample):
    """JSON has it whole: what is read from it is the same value again."""
    Model = define(sample.make())
    Shown = Model.pydantic()
    made = Shown.model_validate(Model(name=sample.given))
    fetched = None if sample.fetched is irNull else sample.fetched
    assert made.name == fetched
    assert isinstance(made.name, type(fetched))  # the lists and dicts of json are subclasses
    if isinstance(fetched, samples.Money) or Shown.model_fields['name'].annotation is Any:
        return  # JSON does not say which type it was
    try:
        text = made.model_dump_json()
    except ValueError as refused:
        assert 'exactly' in str(refused)
    else:
        assert Shown.model_validate_json(text).name == fetched


def test_what_json_has_of_the_types(make_model):
    Model = make_model(
        [
            IRField('price', valueType=decimal.Decimal),
            IRField('at', valueType=datetime.datetime),
            IRField('span', valueType=datetime.timedelta),
            IRField('data', valueType=bytes),
            IRField('number', valueType=float),
            IRField('tags', valueType=list),
            IRField('money', valueType=samples.Money),
            IRRawField('raw'),
            IRCompressedField('long'),
        ]
    )
    obj = Model(
        price='1e20',
        at='2026-01-02 03:04:05',
        span=datetime.timedelta(days=400),
        data=b'\xff',
        number=float('inf'),
        tags=['a', None],
        money='7',
        raw=5,
        long='text',
    )
    assert obj.save() == [1]
    expected = {
        'id': 1,
        'price': '100000000000000000000',
        'at': '2026-01-02T03:04:05',
        'span': 34_560_000.0,
        'data': '_w==',
        'number': 'Infinity',
        'tags': ['a', None],
        'money': '700c',
        'raw': 'NQ==',
        'long': 'dGV4dA==',
    }
    assert shown(obj) == expected == shown(Model.objects.get(1))
    schema = Model.pydantic().model_json_schema(mode='serialization')['properties']
    kinds = {name: (each.get('anyOf') or [each])[0].get('type') for name, each in schema.items()}
    assert kinds == {
        'id': 'integer',
        **dict.fromkeys(('price', 'at', 'data', 'money', 'raw', 'long'), 'string'),
        **dict.fromkeys(('span', 'number'), 'number'),
        'tags': None,
    }


def test_null_is_null(make_model):
    Model = make_model(['name', IRField('count', valueType=int), IRPickleField('any')])
    assert shown(Model()) == {'id': None, 'name': None, 'count': None, 'any': None}
    assert shown(Model(name=''))['name'] == ''


def test_a_field_without_null(make_model):
    Model = make_model([IRField('name', nullable=False)])
    assert Model.pydantic().model_fields['name'].annotation is str
    assert shown(Model(name='x')) == {'id': None, 'name': 'x'}


def test_what_json_cannot_hold_is_refused(make_model):
    Model = make_model([IRPickleField('any'), IRField('span', valueType=datetime.timedelta)])
    made = Model.pydantic().model_validate(Model(any=object()))
    with pytest.raises(ValueError, match='serialize'):
        made.model_dump_json()
    long = datetime.timedelta(days=999_999_999, microseconds=1)
    made = Model.pydantic().model_validate(Model(span=long))
    assert made.span == long
    with pytest.raises(ValueError, match='exactly'):
        made.model_dump_json()


def test_a_field_type_of_ones_own(make_model):
    Model = make_model([samples.ReversedField('word')])
    assert shown(Model(word='abc')) == {'id': None, 'word': 'abc'}
    assert Model.pydantic().model_fields['word'].annotation is Any

    class Short(Model.pydantic()):
        word: pydantic.constr(max_length=2)

    with pytest.raises(pydantic.ValidationError, match='at most 2'):
        Short.model_validate(Model(word='abc'))


def test_links_are_pks_and_nothing_is_fetched(linked, raw):
    Track, Album, Artist = linked
    abba = Artist(name='Abba')
    Track(name='x', album=Album(title='y', artist=abba), guests=[abba]).save()
    track = Track.objects.first()
    before = raw.info('commandstats')
    assert shown(track) == {'id': 1, 'name': 'x', 'album': 1, 'guests': [1]}
    with pytest.raises(pydantic.ValidationError, match=r'not fetched.*cascadeFetch=True'):
        shown(track, nested=['album'])
    after = raw.info('commandstats')
    assert {name for name in after if after[name] != before.get(name)} <= {'cmdstat_info'}
    assert isinstance(track, Track) and issubclass(LinkNotFetchedError, ValueError)
    nested = shown(Track.objects.get(1, cascadeFetch=True), nested=['album__artist', 'guests'])
    artist = {'id': 1, 'name': 'Abba'}
    album = {'id': 1, 'title': 'y', 'artist': artist}
    assert nested == {'id': 1, 'name': 'x', 'album': album, 'guests': [artist]}
    assert shown(Track(name='new'), nested=['album', 'guests'])['guests'] is None


def test_a_target_that_is_gone_is_null(linked):
    Track, Album, Artist = linked
    Track(name='x', album=Album(title='y'), guests=[Artist(name='a'), Artist(name='b')]).save()
    Album.objects.delete()
    Artist.objects.first().delete()
    track = Track.objects.get(1, cascadeFetch=True)
    found = shown(track, nested=['album', 'guests'])
    assert (found['album'], found['guests']) == (None, [None, {'id': 2, 'name': 'b'}])


def test_only_some_fields(make_model):
    Model = make_model(['name', 'secret'])
    Model(name='x', secret='s').save()
    assert shown(Model.objects.first(), only=['name']) == {'id': 1, 'name': 'x'}
    part = Model.objects.only('name').first()
    assert shown(part, only='name', pk=None) == {'name': 'x'}
    with pytest.raises(pydantic.ValidationError, match='secret\n  Field required'):
        shown(part)  # it would be the default, not what is stored
    part.secret = 'new'
    assert shown(part)['secret'] == 'new'


def test_names_that_pydantic_uses(make_model):
    """They are shown by their names; their attributes have an underscore at the end."""
    names = ['json', 'model_dump', '_private', 'class', 'json_', 'model_x', '__private', '__']
    Model = make_model(names)
    made = Model.pydantic().model_validate(Model(**{name: name for name in names}))
    assert made.model_dump() == {'id': None, **{name: name for name in names}}
    assert made.json__ == 'json' and made.json_ == 'json_'
    assert set(Model.pydantic().model_json_schema()['properties']) == {'id', *names}


def test_it_is_made_once(linked):
    Track, Album, _ = linked
    assert Track.pydantic() is Track.pydantic()
    assert Track.pydantic().__name__ == Track.__name__
    nested = Track.pydantic(nested=['album__artist'])
    assert nested is Track.pydantic(['album__artist']) is not Track.pydantic()
    assert nested.__name__ == f'{Track.__name__}WithAlbumWithArtist'
    assert Album.pydantic(name='Shown').__name__ == 'Shown'
    before = Album.pydantic()
    Album.FIELDS = [*Album.FIELDS, IRField('year')]
    assert 'year' in Album.pydantic().model_fields and 'year' not in before.model_fields


def test_which_objects_it_takes(linked):
    Track, _, Artist = linked
    copied = Track.copyModel()
    assert Track.pydantic().model_validate(copied(name='x')).name == 'x'
    with pytest.raises(pydantic.ValidationError, match=f'an object of {Artist.__name__}, not'):
        Track.pydantic().model_validate(Artist(name='x'))


@pytest.mark.parametrize(
    ('choices', 'message'),
    [
        ({'nested': ['name']}, r"'name', which is no link that is shown. Links are: album, guests"),
        ({'nested': ['album'], 'only': ['name']}, 'Links are: none'),
        ({'only': ['nam']}, "no field 'nam'. Did you mean 'name'"),
        ({'pk': 'name'}, "'name', which is to show the pk"),
    ],
)
def test_wrong_choices(linked, choices, message):
    with pytest.raises(UsageError, match=message):
        linked[0].pydantic(**choices)


def test_without_pydantic(make_model, monkeypatch):
    monkeypatch.setitem(sys.modules, 'pydantic', None)
    with pytest.raises(ImportError, match=r'indexedredis\[pydantic\]'):
        make_model(['name']).pydantic()
