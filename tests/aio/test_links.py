"""Links in a running event loop. The rule: what would hold it up is refused with the ways out, and
nothing that the library does by itself runs into that."""

from __future__ import annotations

import asyncio
import copy
import io
import pickle

import pytest
from support.linked import Author, Book

import IndexedRedis as IR
from IndexedRedis import LinkNotFetchedError, UsageError, irNull

WAYS_OUT = r'(?s)acascadeFetch.*cascadeFetch=True.*__id'


def calls(raw):
    """How often the server carried out each command, but the one that tells."""
    stats = raw.info('commandstats').items()
    return {name: found['calls'] for name, found in stats if name != 'cmdstat_info'}


@pytest.fixture
def one(albums):
    """Gives the first album, with none of its links fetched."""
    return lambda: albums.objects.aget(1)


TOUCHES = {
    'single': lambda album: album.artist,
    'multi': lambda album: album.guests,
    'getObj': lambda album: album.asDict()['artist'].getObj(),
    'getObjs': lambda album: album.asDict()['guests'].getObjs(),
    'getattr': lambda album: getattr(album, 'artist', None),
    'filtering a result': lambda album: IR.IRQueryableList([album]).filter(artist=None),
}


@pytest.mark.parametrize('touch', TOUCHES)
def test_touching_what_was_not_fetched_is_refused(one, run, raw, touch):
    async def main():
        album = await one()
        before = calls(raw)
        with pytest.raises(LinkNotFetchedError, match=WAYS_OUT) as caught:
            TOUCHES[touch](album)
        assert isinstance(caught.value, IR.IndexedRedisError)
        assert str([2, 3]) in str(caught.value) or ' 1,' in str(caught.value)
        assert calls(raw) == before

    run(main())


def test_the_pks_of_links_need_no_server(one, run, raw):
    async def main():
        album = await one()
        before = calls(raw)
        assert (album.artist__id, album.guests__id) == (1, [2, 3])
        album.artist__id = 3
        assert album.artist__id == 3
        assert calls(raw) == before
        with pytest.raises(LinkNotFetchedError, match=WAYS_OUT):
            album.artist

    run(main())


WAYS = {
    'acascadeFetch': lambda albums: _fetched(albums.objects.aget(1)),
    'aget': lambda albums: albums.objects.aget(1, cascadeFetch=True),
    'agetMultiple': lambda albums: _first(albums.objects.agetMultiple([1, 2], cascadeFetch=True)),
    'aall': lambda albums: _first(albums.objects.filter(title='one').aall(cascadeFetch=True)),
    'aallByAge': lambda albums: _first(albums.objects.aallByAge(cascadeFetch=True)),
    'afirst': lambda albums: albums.objects.afirst(cascadeFetch=True),
    'alast': lambda albums: albums.objects.filter(title='one').alast(cascadeFetch=True),
    'arandom': lambda albums: albums.objects.filter(title='one').arandom(cascadeFetch=True),
    'some fields': lambda albums: albums.objects.agetOnlyFields(
        1, ['artist', 'guests'], cascadeFetch=True
    ),
}


async def _fetched(getting):
    album = await getting
    await album.acascadeFetch()
    return album


async def _first(getting):
    return (await getting)[0]


@pytest.mark.parametrize('way', WAYS)
def test_what_was_fetched_along_is_there(albums, run, way):
    async def main():
        album = await WAYS[way](albums)
        assert album.artist.name == 'Ann'
        assert [guest.name for guest in album.guests] == ['Bob', 'Cy']
        assert album.asDict()['guests'].isFetched()

    run(main())


def test_a_link_whose_target_is_gone_is_none_once_it_was_looked_for(albums, artist, run):
    """Asking for it again would not help, so there is nothing to refuse."""

    async def main():
        assert await artist.deleter.adeleteMultipleByPks([1, 3]) == 2
        album = await albums.objects.aget(1)
        with pytest.raises(LinkNotFetchedError):
            album.artist
        await album.acascadeFetch()
        assert album.artist is None
        assert [guest and guest.name for guest in album.guests] == ['Bob', None]
        assert (album.artist__id, album.guests__id) == (1, [2, 3])
        assert copy.copy(album).artist is copy.deepcopy(album).artist is None
        fetched = await albums.objects.afirst(cascadeFetch=True)
        assert fetched.artist is None
        await artist(_id=1, name='back').asave()
        await album.acascadeFetch()
        assert album.artist.name == 'back'

    run(main())


def test_links_that_were_assigned_are_there(album, artist, run):
    async def main():
        ann = artist(name='Ann')
        obj = album(title='x', artist=ann, guests=[ann])
        assert obj.artist is obj.guests[0] is ann
        assert await obj.asave() == [1]
        assert obj.artist is obj.guests[0] is ann
        assert (await album.objects.aget(1)).artist__id == ann._id
        obj.artist = None
        assert obj.artist is irNull

    run(main())


def test_outside_of_loops_links_are_fetched_as_ever(albums, run):
    """In threads too, while a loop runs in another."""

    async def main():
        def touch():
            album = albums.objects.get(1)
            return album.artist.name, [guest.name for guest in album.guests]

        assert await asyncio.to_thread(touch) == ('Ann', ['Bob', 'Cy'])
        album = await albums.objects.aget(1)
        # One that was fetched in the loop as well.
        assert await asyncio.to_thread(lambda: album.artist.name) == 'Ann'
        assert album.artist.name == 'Ann'
        return album

    album = run(main())
    assert [guest.name for guest in album.guests] == ['Bob', 'Cy']


SYNC = {
    'repr': repr,
    'str': str,
    'pprint': lambda album: album.pprint(io.StringIO()),
    'pprint of a list': lambda album: IR.IRQueryableList([album]).pprint(io.StringIO()),
    'copy': lambda album: copy.copy(album),
    'deepcopy': lambda album: copy.deepcopy(album),
    'copy()': lambda album: album.copy(copyPrimaryKey=True, copyValues=True),
    'asDict': lambda album: album.asDict(includeMeta=True, strKeys=True),
    'asDict for storage': lambda album: album.asDict(forStorage=True),
    'repr of the data': lambda album: repr(album.asDict()),
    'hasUnsavedChanges': lambda album: album.hasUnsavedChanges(cascadeObjects=True),
    'getUpdatedFields': lambda album: album.getUpdatedFields(cascadeObjects=True),
    'hasSameValues': lambda album: album.hasSameValues(album.copy(), cascadeObject=True),
    'equality': lambda album: album == album.copy(copyPrimaryKey=True),
    'diff': lambda album: album.diff(type(album)(title='x', artist=2), includeMeta=True),
    'original': lambda album: album._origData,
    'in': lambda album: album in [album.copy(copyPrimaryKey=True)],
    'filter by another field': lambda album: IR.IRQueryableList([album]).filter(title='one'),
    'sort': lambda album: IR.IRQueryableList([album, album.copy()]).sort_by('title'),
    'operators': lambda album: IR.IRQueryableList([album]) - IR.IRQueryableList([album.copy()]),
    'assign its data': lambda album: setattr(album, 'artist', album.asDict()['artist']),
}


@pytest.mark.parametrize('what', SYNC)
def test_what_needs_no_server_does_not_touch_links(one, run, what):
    async def main():
        for changed in (False, True):
            album = await one()
            if changed:
                album.artist = 2
                album.guests = [1]
            SYNC[what](album)
            assert not album.asDict()['artist'].isFetched()

    run(main())


ASYNC = {
    'asave': lambda album: album.asave(),
    'asave of the list': lambda album: IR.IRQueryableList([album]).asave(),
    'asave of a copy': lambda album: album.copy().asave(),
    'asave without cascade': lambda album: album.asave(cascadeSave=False),
    'areload': lambda album: album.areload(cascadeObjects=True),
    'areload of the list': lambda album: IR.IRQueryableList([album]).areload(),
    'arefetch': lambda album: IR.IRQueryableList([album]).arefetch(),
    'areset': lambda album: type(album).areset([album]),
    'areset of a copy': lambda album: type(album).areset([album.copy()]),
    'aresetMany': lambda album: IR.aresetMany({type(album): [album]}),
    'adelete': lambda album: album.adelete(),
    'areindex': lambda album: album.saver.areindex([album]),
    'filter': lambda album: album.objects.filter(artist=album.artist__id).aall(),
    'asaveToExternal': lambda album: album.asaveToExternal({'db': 1}),
}


@pytest.mark.parametrize('what', ASYNC)
@pytest.mark.parametrize('changed', [False, True])
def test_what_is_awaited_does_not_touch_links(one, albums, artist, run, what, changed):
    async def main():
        album = await one()
        if changed:
            album.artist, album.guests = 2, [3, artist(name='new')]
        outcome = await ASYNC[what](album)
        for result in outcome if what == 'areload of the list' else []:
            assert not isinstance(result, Exception)
        if what != 'adelete':
            assert await albums.objects.acount() >= 1

    run(main())


def test_pickles_of_unfetched_links(redis_params, watch_models, run):
    watch_models(Author, Book)

    async def main():
        await Book(title='x', author=Author(name='Ann')).asave()
        book = pickle.loads(pickle.dumps(await Book.objects.aget(1)))
        with pytest.raises(LinkNotFetchedError, match=WAYS_OUT):
            book.author
        await book.acascadeFetch()
        assert pickle.loads(pickle.dumps(book)).author.name == 'Ann'

    run(main())


def test_reloading_goes_along_fetched_links(albums, artist, run):
    async def main():
        album = await albums.objects.aget(1, cascadeFetch=True)
        ann = await artist.objects.aget(1)
        ann.name = 'Anna'
        await ann.asave()
        assert 'artist' in await album.areload()
        assert album.artist.name == 'Anna'
        other = await albums.objects.aget(2)
        other.artist = 3
        await other.asave()
        await (await albums.objects.aget(2, cascadeFetch=True)).areload()

    run(main())


def test_a_filter_on_fetched_links_works_in_a_loop(albums, run):
    async def main():
        found = await albums.objects.aall(cascadeFetch=True)
        (album,) = found.filter(title='one')
        assert len(found.filter(artist=album.artist)) == 2
        assert len(await albums.objects.filter(artist=album.artist).aall()) == 2

    run(main())


def test_a_link_that_is_null_is_no_reason_to_refuse(albums, run):
    async def main():
        album = await albums.objects.aget(2)
        assert album.guests is irNull
        assert album.guests__id is irNull

    run(main())


def test_cascadeFetch_itself_still_blocks_where_somebody_wants_it(one, run):
    """The methods without the prefix a are allowed in a loop: who calls them knows it."""

    async def main():
        album = await one()
        album.cascadeFetch()
        assert album.artist.name == 'Ann'

    run(main())


def test_wrong_models_are_refused_as_in_threads(albums, run):
    async def main():
        with pytest.raises(UsageError):
            await IR.aresetMany({'Album': []})

    run(main())
