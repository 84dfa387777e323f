"""Links from and to models with partitions. The rule: they lead where those of others lead, and
what one call gives is of one data set."""

from __future__ import annotations

import functools

import pytest

from IndexedRedis import IRField, ObjectGoneError, irNull
from IndexedRedis._core.links import fetching
from IndexedRedis._core.partitions.queries import linked
from IndexedRedis.connections import recordTrips
from IndexedRedis.fields import IRForeignLinkField, IRForeignMultiLinkField

KINDS = {'from plain': (0, 6), 'to plain': (6, 0), 'both': (6, 4)}


@pytest.fixture(params=KINDS)
def models(request, make_model):
    """Songs, which link to artists; one of them has partitions, or both have."""
    of_songs, of_artists = KINDS[request.param]
    make = functools.partial(make_model, CLIENT_SIDE_CACHE=0)
    artist = make(
        [IRField('name'), IRField('born', valueType=int)],
        ['name', 'born'],
        PARTITIONS=of_artists,
    )
    song = make(
        [
            IRField('title'),
            IRForeignLinkField('artist', artist),
            IRForeignMultiLinkField('guests', artist),
        ],
        ['title', 'artist', 'guests'],
        PARTITIONS=of_songs,
    )
    return song, artist


@pytest.fixture
def stored(models):
    """Twelve songs of three artists; each has the other two as guests."""
    song, artist = models
    artists = [artist(name=name, born=1950 + n) for n, name in enumerate('abc')]
    songs = [
        song(title=f't{n}', artist=artists[n % 3], guests=[artists[n % 3 - 1], artists[n % 3 - 2]])
        for n in range(12)
    ]
    song.saver.save(songs)
    return song, artist


def names(found):
    """Title, artist and guests of songs."""
    return sorted(
        (song.title, song.artist.name, ''.join(guest.name for guest in song.guests))
        for song in found
    )


EXPECTED = sorted((f't{n}', 'abc'[n % 3], 'abc'[n % 3 - 1] + 'abc'[n % 3 - 2]) for n in range(12))


def test_linked_objects_are_saved_and_fetched_along(stored):
    song, artist = stored
    assert artist.objects.count() == 3
    for found in (
        song.objects.all(cascadeFetch=True),
        song.objects.orderBy('title')[:12].all(cascadeFetch=True),
        song.objects.page(size=12, cascadeFetch=True),
        song.objects.iterator(5, cascadeFetch=True),
        song.objects.getMultiple(song.objects.getPrimaryKeys(), cascadeFetch=True),
    ):
        songs = [*found]
        with recordTrips() as trips:
            assert names(songs) == EXPECTED
        assert not trips
    one = song.objects.filter(title='t4').first(cascadeFetch=True)
    assert (one.artist.name, one.artist__id) == ('b', one.artist._id)


def test_a_cascade_fetch_takes_a_trip_a_level_and_a_look_whether_it_is_of_one_data_set(stored):
    song, _ = stored
    song.objects.all(cascadeFetch=True)
    with recordTrips() as trips:
        song.objects.all(cascadeFetch=True)
    assert len(trips) <= 4


def test_cascadeFetch_of_an_object(stored):
    song, _ = stored
    found = song.objects.filter(title='t5').first()
    found.cascadeFetch()
    with recordTrips() as trips:
        assert names([found]) == [EXPECTED[7]]
    assert not trips


def test_filters_by_links_and_along_them(stored):
    song, artist = stored
    first = artist.objects.get(name='a')
    titles = ['t0', 't3', 't6', 't9']
    for query in (
        song.objects.filter(artist=first),
        song.objects.filter(artist=first._id),
        song.objects.filter(artist__name='a'),
        song.objects.filter(artist__born__in=[1950, 1700]),
        song.objects.filter(artist__name='a').exclude(artist__name='b'),
    ):
        assert sorted(query.valuesList('title', flat=True)) == titles
        assert query.count() == 4
        assert sorted(obj.title for obj in query.iterator(3)) == titles
        assert [obj.title for obj in query.orderBy('title')[1:3].all()] == titles[1:3]
    assert song.objects.filter(artist__name='x').all() == []
    assert song.objects.filter(artist__name__ne='a').count() == 8
    by_pk = {obj._id: obj.name for obj in artist.objects.all()}
    assert {by_pk[pk]: n for pk, n in song.objects.countBy('artist').items()} == dict.fromkeys(
        'abc', 4
    )
    explained = song.objects.filter(artist__name='a').explain(analyze=True)
    assert (explained.lookups != [], explained.measured.rows) == (True, 4)
    assert explained.measured.trips == len(explained.trips)


def test_a_filtered_write_follows_links(stored):
    song, _ = stored
    assert song.objects.filter(artist__name='a').update(title='new') == 4
    assert song.objects.filter(artist__name='b').delete() == 4
    assert sorted(song.objects.countBy('title').values()) == [1, 1, 1, 1, 4]


def test_reload(stored):
    song, artist = stored
    held = song.objects.filter(title='t0').first(cascadeFetch=True)
    other = song.objects.get(held._id)
    other.title = 'new'
    other.save()
    assert artist.objects.filter(name='a').update(name='A') == 1
    changes = held.reload()
    assert changes['title'] == ('t0', 'new')
    assert (held.title, held.artist.name, 'artist' in changes) == ('new', 'A', True)
    assert held.reload() == {}
    other.delete()
    with pytest.raises(ObjectGoneError):
        held.reload()


def test_a_changed_target_is_saved_along(stored):
    song, artist = stored
    held = song.objects.filter(title='t1').first(cascadeFetch=True)
    held.artist.name = 'changed'
    assert held.hasUnsavedChanges(cascadeObjects=True)
    held.save()
    assert artist.objects.get(held.artist._id).name == 'changed'
    assert not held.hasUnsavedChanges(cascadeObjects=True)


def test_links_to_nothing(stored):
    song, artist = stored
    gone = artist.objects.get(name='c')
    pk = gone._id
    gone.delete()
    found = song.objects.filter(title='t2').first(cascadeFetch=True)
    assert found.artist__id == pk
    assert [guest.name for guest in found.guests] == ['b', 'a']
    assert song(title='none').artist is irNull


def test_a_reader_that_knows_old_editions_follows_links_in_the_new_ones(stored):
    song, artist = stored
    stale = song._validated().known, artist._validated().known
    artist.reset([artist(name='d')])
    song.reset([song(title='new', artist=artist.objects.get(name='d'))])
    for model, known in zip((song, artist), stale, strict=True):
        model._validated().known = known  # as that of another process
    found = song.objects.all(cascadeFetch=True)
    assert [(obj.title, obj.artist.name) for obj in found] == [('new', 'd')]
    assert [obj.title for obj in song.objects.filter(artist__name='d').all()] == ['new']
    assert song.objects.filter(artist__name='a').all() == []


def replaced(song, artist):
    """A flow that replaces all songs and artists."""
    new = artist(name='d')
    yield from artist.objects._reset([new])
    yield from song.objects._reset([song(title='new', artist=new)])


@pytest.mark.names_keys
def test_a_reset_between_songs_and_artists_gives_one_data_set(stored, monkeypatch):
    song, artist = stored
    get_targets, pending = fetching.get_targets, [True]

    def interrupted(schema, pks):
        if pending:
            pending.pop()
            yield from replaced(song, artist)
        return (yield from get_targets(schema, pks))

    monkeypatch.setattr(fetching, 'get_targets', interrupted)
    found = song.objects.all(cascadeFetch=True)
    assert [(obj.title, obj.artist.name) for obj in found] == [('new', 'd')]


@pytest.mark.names_keys
def test_a_reset_between_the_two_queries_of_a_path_begins_anew(stored, monkeypatch):
    song, artist = stored
    targets, pending = linked._targets, [True]

    def interrupted(link):
        found = yield from targets(link)
        if pending:
            pending.pop()
            yield from replaced(song, artist)
        return found

    monkeypatch.setattr(linked, '_targets', interrupted)
    query = song.objects.filter(artist__name__in=['a', 'd'])
    assert query.valuesList('title', flat=True) == ['new']


def test_objects_fetched_before_a_reset_find_what_they_link_to(stored):
    song, artist = stored
    found = song.objects.all()
    artist.reset([artist(name='d')])
    for obj in found:
        obj.cascadeFetch()
    assert names(found) == EXPECTED
