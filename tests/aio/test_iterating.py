"""`for` and `async for` over queries and lists. The rule: both give what `all` gives."""

from __future__ import annotations

import asyncio
import contextlib
import inspect

import pytest

import IndexedRedis as IR
from aio.cut import cut


def test_async_for(songs, run):
    async def main():
        titles = [song.title async for song in songs.objects.filter(artist='a')]
        assert sorted(titles) == ['t0', 't2', 't4']
        assert {song._id async for song in songs.objects} == {1, 2, 3, 4, 5, 6}
        assert [song async for song in songs.objects.filter(artist='none')] == []

    run(main())


def test_for(songs, run):
    assert sorted(song.title for song in songs.objects.filter(artist='a')) == ['t0', 't2', 't4']
    query = songs.objects.filter(artist='b')
    assert len(list(query)) == len(list(query)) == 3
    first = songs.objects.aall

    async def main():
        # It blocks, which is up to who writes it.
        assert len([*songs.objects]) == len(await first()) == 6

    run(main())


def test_leaving_early_leaves_nothing_behind(songs, run):
    async def main():
        async for song in songs.objects:
            assert song.title.startswith('t')
            break
        generator = songs.objects.filter(artist='a').__aiter__()
        await generator.__anext__()
        await generator.aclose()
        async with contextlib.aclosing(songs.objects.__aiter__()) as found:
            assert await found.__anext__() is not None
        assert await songs.objects.acount() == 6

    run(main())


def test_what_is_changed_meanwhile_does_not_matter(songs, run):
    async def main():
        seen = []
        async for song in songs.objects:
            seen.append(song._id)
            await song.adelete()
            await songs(title='new').asave()
        assert sorted(seen) == [1, 2, 3, 4, 5, 6]
        assert await songs.objects.acount() == 6

    run(main())


def test_an_error_comes_out_of_the_loop(songs, run):
    async def main():
        with pytest.raises(IR.UsageError, match='nothing'):
            async for _ in songs.objects.filter(nothing=1):
                pass
        with pytest.raises(TypeError):
            async for _ in await songs.objects.aall():  # a list is iterated as ever
                pass

    run(main())


def test_async_for_can_be_cancelled(songs, run):
    songs.REDIS_CONNECTION_PARAMS = {'max_connections': 1}

    async def read():
        return [song._id async for song in songs.objects]

    async def main():
        for first in range(1, 14):
            _, outcome = await cut(read(), first, 3)
            if isinstance(outcome, BaseException):
                assert isinstance(outcome, asyncio.CancelledError)
            assert len(await read()) == 6

    run(main())


def test_data_sets_from_iterators(song, run):
    async def main():
        made = (song(title=str(n), artist='a') for n in range(2500))
        assert len(await song.areset(made)) == 2500
        assert await song.objects.filter(artist='a').acount() == 2500
        made = (song(title=str(n), artist='b') for n in range(1500))
        assert len(await song.saver.asave(made)) == 1500
        assert await song.objects.acount() == 4000

        async def rows():
            yield song(title='x')

        for refused in (song.areset, song.saver.asave):
            generator = rows()
            with pytest.raises(IR.UsageError, match='Read it first'):
                await refused(generator)
            assert inspect.isasyncgen(generator)
            await generator.aclose()

    run(main())
