"""``create``, ``getOrCreate`` and ``updateOrCreate``."""

from __future__ import annotations

import pytest

from IndexedRedis import FieldValueError, MultipleObjectsError, QueryError, UsageError


def test_create_saves(songs):
    song = songs.objects.create(title='new', artist='Abba')
    assert song._id == 7
    assert not song.hasUnsavedChanges()
    assert songs.objects.filter(artist='Abba').count() == 4
    with pytest.raises(FieldValueError, match='year'):
        songs.objects.create(year='late')
    with pytest.raises(UsageError, match='create'):
        songs.objects.filter(artist='Abba').create(title='x')


def test_get_or_create(songs):
    song, created = songs.objects.getOrCreate(artist='Queen', year=1975, defaults={'title': 'Bo'})
    assert (song._id, song.title, song.artist, song.year, created) == (7, 'Bo', 'Queen', 1975, True)
    again, created = songs.objects.getOrCreate(artist='Queen', year=1975, defaults={'title': 'no'})
    assert (again == song, created) == (True, False)
    nameless, created = songs.objects.getOrCreate(artist=None)
    assert (nameless._id, created) == (6, False)


def test_update_or_create(songs):
    song, created = songs.objects.updateOrCreate(artist='Queen', defaults={'title': 'Bo'})
    assert (song._id, song.title, created) == (7, 'Bo', True)
    song, created = songs.objects.updateOrCreate(
        artist='Queen', defaults={'title': 'Rhapsody', 'artist': 'QUEEN'}
    )
    assert (song._id, created) == (7, False)
    assert songs.objects.filter(artist='QUEEN').first().title == 'Rhapsody'
    assert songs.objects.count() == 7


def test_several_that_fit(songs):
    for method in (songs.objects.getOrCreate, songs.objects.updateOrCreate):
        with pytest.raises(MultipleObjectsError, match='several objects'):
            method(artist='Abba', defaults={'year': 1})
    assert songs.objects.count() == 6
    assert songs.objects.filter(year=1).count() == 0


@pytest.mark.parametrize('name', ['getOrCreate', 'updateOrCreate'])
def test_wrong_calls(songs, name):
    method = getattr(songs.objects, name)
    with pytest.raises(UsageError, match='needs values'):
        method()
    with pytest.raises(UsageError, match="not 'artist__ne'"):
        method(artist__ne='x')
    with pytest.raises(UsageError, match=r"not 'artis'.*'artist'"):
        method(artis='x')
    with pytest.raises(QueryError, match='title is not indexed'):
        method(title='x')
    with pytest.raises(UsageError, match=name):
        getattr(songs.objects.filter(year=1), name)(artist='x')
    assert songs.objects.count() == 6


def test_defaults_of_an_update_are_fields(songs):
    with pytest.raises(UsageError, match="no field 'yaer'"):
        songs.objects.updateOrCreate(artist='AC/DC', year=1980, defaults={'yaer': 1})


def test_links(shelf, authors):
    ann = authors.objects.get(1)
    book, created = shelf.objects.getOrCreate(title='four', author=ann)
    assert (book.author__id, created) == (1, True)
    assert shelf.objects.getOrCreate(title='four', author=ann) == (book, False)
