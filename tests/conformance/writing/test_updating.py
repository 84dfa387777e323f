"""``update()`` of a query. The rule: exactly the objects that match have the new values, and the
index sets agree; the checker looks after each test."""

from __future__ import annotations

import pytest

from IndexedRedis import FieldValueError, IRField, UsageError, irNull
from IndexedRedis._core.bulk import update
from IndexedRedis.testing import recordTrips


def test_all_that_match_are_updated(songs):
    assert songs.objects.filter(artist='Abba').update(artist='ABBA', year=2000, tags=['x']) == 3
    assert songs.objects.filter(artist='ABBA', year=2000).getPrimaryKeys(True) == [1, 2, 3]
    assert songs.objects.filter(artist='Abba').count() == 0
    assert songs.objects.get(2).tags == ['x']
    assert songs.objects.get(2).title == 'Honey, Honey'
    assert songs.objects.get(4).year == 1980


def test_without_filters_all_objects(songs):
    assert songs.objects.update(album=None) == 6
    assert songs.objects.filter(album=None).count() == 6
    assert songs.objects.update(title='same') == 6
    assert {*songs.objects.valuesList('title', flat=True)} == {'same'}


def test_nothing_that_matches(songs):
    assert songs.objects.filter(artist='nobody').update(year=1) == 0
    assert songs.objects.filter(year=1).count() == 0


def test_what_has_the_value_already_counts(songs):
    assert songs.objects.filter(artist='Abba').update(artist='Abba') == 3
    assert songs.objects.filter(artist='Abba').count() == 3


def test_values_are_converted_first_and_nothing_is_sent(songs):
    wrong = [
        ({}, UsageError, 'sets nothing'),
        ({'yaer': 1}, UsageError, "no field 'yaer'.*'year'"),
        ({'title': 'new', 'year': 'late'}, FieldValueError, r'\.year: cannot hold'),
        ({'title': '\ud800'}, FieldValueError, r'\.title: cannot hold'),
    ]
    for values, error, message in wrong:
        with recordTrips() as trips, pytest.raises(error, match=message):
            songs.objects.update(**values)
        assert trips == []


def test_links(shelf, authors):
    bob = authors.objects.get(2)
    assert shelf.objects.filter(author=1).update(author=bob) == 2
    assert shelf.objects.filter(author=2).count() == 3
    assert shelf.objects.update(similar=[1, 2]) == 3
    assert shelf.objects.filter(similar=[1, 2]).count() == 3
    assert shelf.objects.update(author=irNull, similar=None) == 3
    with pytest.raises(FieldValueError, match='not saved'):
        shelf.objects.update(author=authors(name='new'))


@pytest.fixture
def jobs(make_model):
    model = make_model(['owner', IRField('n', valueType=int)], ['owner', 'n'], CLIENT_SIDE_CACHE=0)
    model.reset([model(n=n) for n in range(1000)])
    return model


@pytest.mark.plain_model
def test_many_objects_in_chunks(jobs, monkeypatch):
    assert jobs.objects.update(owner='me') == 1000
    assert jobs.objects.filter(owner='me').count() == 1000
    with recordTrips() as trips:
        assert jobs.objects.filter(owner='me').update(owner='you') == 1000
    scripts = [each for trip in trips for each in trip if each[:2] == ('EVALSHA', 'write')]
    assert len(scripts) > 5


def changing(monkeypatch, change):
    """Call `change` once, after the rows of a chunk were read and before they are written."""
    write, changes = update.compare_and_move, [change]

    def changed(entries, **how):
        while changes:
            changes.pop()()
        return (yield from write(entries, **how))

    monkeypatch.setattr(update, 'compare_and_move', changed)


@pytest.mark.plain_model
def test_an_object_that_no_longer_matches_stays_as_it_is(jobs, raw, monkeypatch):
    other = jobs.copyModel()

    def take():
        key = f'_ir_|{jobs.KEY_NAME}'
        raw.hset(f'{key}:data:5', 'owner', 'other')
        raw.smove(f'{key}:idx:owner:IRNullType()', f'{key}:idx:owner:other', 5)

    changing(monkeypatch, take)
    assert jobs.objects.filter(owner=None).update(owner='me') == 999
    assert other.objects.filter(owner='other').getPrimaryKeys() == [5]


@pytest.mark.plain_model
def test_an_object_whose_other_fields_change_is_updated(jobs, raw, monkeypatch):
    key = f'_ir_|{jobs.KEY_NAME}'

    def renumber():
        raw.hset(f'{key}:data:5', 'n', 7777)
        raw.smove(f'{key}:idx:n:4', f'{key}:idx:n:7777', 5)

    changing(monkeypatch, renumber)
    assert jobs.objects.filter(owner=None).update(owner='me', n=1) == 1000
    assert jobs.objects.filter(n=1).count() == 1000


@pytest.mark.plain_model
def test_an_object_that_is_deleted_is_left_out(jobs, raw, monkeypatch):
    key = f'_ir_|{jobs.KEY_NAME}'

    def delete():
        raw.srem(f'{key}:keys', 5)
        raw.srem(f'{key}:idx:n:4', 5)
        raw.srem(f'{key}:idx:owner:IRNullType()', 5)
        raw.delete(f'{key}:data:5')

    changing(monkeypatch, delete)
    assert jobs.objects.update(owner='me') == 999
    assert not raw.exists(f'{key}:data:5')
