"""Objects as JSON. The rule: null is null, and nothing is rounded or fetched."""

from __future__ import annotations

import datetime
import decimal
import enum
import io
import ipaddress
import json
import uuid

import pytest

from IndexedRedis import IRField, IRJSONEncoder, IRQueryableList, irNull
from IndexedRedis.fields import IRForeignLinkField, IRForeignMultiLinkField
from unit.build import define


class Color(enum.Enum):
    RED = 'red'


Artist = define('name', name='Artist')
Album = define(
    IRField('title'),
    IRField('stock', valueType=int),
    IRField('tags', valueType=list),
    IRForeignLinkField('artist', Artist),
    IRForeignMultiLinkField('guests', Artist),
)
NULLS = {'title': '', 'stock': None, 'tags': None, 'artist': None, 'guests': None}


def encoded(value):
    file = io.StringIO()
    json.dump(value, file, cls=IRJSONEncoder)
    text = json.dumps(value, cls=IRJSONEncoder)
    assert json.loads(file.getvalue()) == json.loads(text)
    return json.loads(text)


def test_an_object_without_values():
    assert json.loads(json.dumps(Album(title='').asDict())) == NULLS
    assert encoded(Album(title='')) == {'_id': None, **NULLS}
    assert encoded(Album(title='').stock) is None


def test_other_nulls():
    album = Album(title='')
    assert set(album.asDict(nullAs=irNull).values()) == {'', irNull}
    assert album.asDict(strKeys=True, nullAs='-')['stock'] == '-'
    assert album.asDict(forStorage=True)['stock'] == 'IRNullType()'


def test_links_are_pks():
    album = Album(title='x', stock=3, tags=['"', None, {'a': irNull}], artist=7, guests=[7, 8])
    links = {'artist': 7, 'guests': [7, 8]}
    expected = {'_id': None, 'title': 'x', 'stock': 3, 'tags': ['"', None, {'a': None}], **links}
    assert encoded(album) == encoded(album.asDict(includeMeta=True)) == expected


def test_result_lists():
    found = IRQueryableList([Album(_id=1, title='x', stock=2), None], Album)
    assert found.asDicts() == [{**NULLS, 'title': 'x', 'stock': 2}, None]
    assert type(next(iter(found.asDicts()[0]))) is str
    assert found.asDicts(includeMeta=True, nullAs='-')[0]['_id'] == 1
    assert found.asDicts(nullAs='-')[0]['tags'] == '-'
    assert encoded(found) == [{'_id': 1, **NULLS, 'title': 'x', 'stock': 2}, None]


@pytest.mark.parametrize(
    ('value', 'shown'),
    [
        (decimal.Decimal('1E-7'), '0.0000001'),
        (datetime.date(2024, 2, 29), '2024-02-29'),
        (datetime.time(1, 2), '01:02:00'),
        (datetime.datetime(2024, 2, 29, tzinfo=datetime.UTC), '2024-02-29T00:00:00+00:00'),
        (datetime.timedelta(seconds=-1.5), -1.5),
        (uuid.UUID(int=1), '00000000-0000-0000-0000-000000000001'),
        (ipaddress.ip_address('::1'), '::1'),
        (Color.RED, 'red'),
        ('é', 'é'),
    ],
)
def test_values(value, shown):
    assert encoded(value) == shown
    assert encoded({'a': [value]}) == {'a': [shown]}


@pytest.mark.parametrize('value', [b'bytes', object(), {1}])
def test_what_json_lacks(value):
    with pytest.raises(TypeError):
        encoded([value])
