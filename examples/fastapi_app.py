"""The catalogue of a music shop as a web service: FastAPI in front, this library behind it.

The rule: a handler makes one or two awaited calls. The models judge the names and values of a
request, and ``answer_to`` turns their errors into HTTP responses.

    python examples/fastapi_app.py          # or: uvicorn examples.fastapi_app:app

Environment variables: ``REDIS_URL`` is the server (default: a temporary one, from the extra
``embedded``), ``RESET_TOKEN`` the token of ``POST /reset``, ``PORT`` the port to listen on (8000).
"""

from __future__ import annotations

import csv
import hmac
import os
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager
from datetime import UTC, datetime
from importlib.resources import files
from io import StringIO
from typing import Annotated, Any, Literal

import redis
from fastapi import FastAPI, Header, HTTPException, Path, Query, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field

import IndexedRedis as IR
from IndexedRedis import IndexedRedisModel, IRField
from IndexedRedis.fields import IRFixedPointField, IRForeignLinkField


class Artist(IndexedRedisModel):
    """An artist or band."""

    FIELDS = [IRField('name')]
    INDEXED_FIELDS = ['name']
    KEY_NAME = 'ShopArtist'


class Album(IndexedRedisModel):
    """An album, linked to its artist."""

    FIELDS = [IRField('title'), IRForeignLinkField('artist', Artist)]
    INDEXED_FIELDS = ['artist']
    KEY_NAME = 'ShopAlbum'


class Track(IndexedRedisModel):
    """A track, linked to its album. It also holds the artist's name, so that filters can use it."""

    FIELDS = [
        IRField('name'),
        IRField('artist'),
        IRField('genre'),
        IRField('composer'),
        IRField('milliseconds', valueType=int),
        IRFixedPointField('price', decimalPlaces=2),
        IRField('edition'),  # when it was mirrored; null for a track that a client added
        IRForeignLinkField('album', Album),
    ]
    INDEXED_FIELDS = ['artist', 'genre', 'composer', 'album']
    SORTED_FIELDS = ['name', 'milliseconds', 'price']
    KEY_NAME = 'ShopTrack'


# What the service answers with. FastAPI writes it, and shows it in /docs.
ShownTrack = Track.pydantic()
WholeTrack = Track.pydantic(nested=['album__artist'])


class Found(BaseModel):
    """Some of the tracks that were found, and how many there are."""

    total: int
    tracks: list[ShownTrack]


class PageOfTracks(Found):
    """A page of tracks in order; ``next`` is the ``after`` of the next page."""

    exact: bool
    next: str | None


class NewTrack(BaseModel, extra='forbid'):
    """A new track as a client sends it. Fields of Track check what is ``Any`` here."""

    name: Annotated[str, Field(min_length=1)]
    album: Annotated[int, Field(ge=1, le=2**53)]
    genre: str | None = None
    composer: str | None = None
    milliseconds: Any = None
    price: Annotated[float, Field(ge=0, allow_inf_nan=False)] | None = None


def table(name: str) -> list[dict[str, str | None]]:
    """Return the rows of a table. A real shop queries its SQL database here."""
    text = (files('IndexedRedis.demo') / 'chinook' / f'{name}.csv').read_text('utf-8')
    rows = csv.DictReader(StringIO(text, newline=''))
    return [{column: value or None for column, value in row.items()} for row in rows]


async def mirror() -> str:
    """Replace the whole catalogue in one moment; return the name of the new edition.

    Objects keep their ids of SQL as pks, so links and bookmarks stay valid.
    """
    edition = datetime.now(UTC).isoformat(timespec='microseconds')
    artists = {row['id']: row['name'] for row in table('artist')}
    albums = {row['id']: row for row in table('album')}
    genres = {row['id']: row['name'] for row in table('genre')}

    def tracks() -> Iterator[Track]:
        for row in table('track'):
            yield Track(
                _id=row['id'],
                name=row['name'],
                artist=artists[albums[row['album']]['artist']],
                genre=genres[row['genre']],
                composer=row['composer'],
                milliseconds=row['milliseconds'],
                price=row['unit_price'],
                edition=edition,
                album=row['album'],
            )

    catalogue = {
        Artist: (Artist(_id=pk, name=name) for pk, name in artists.items()),
        Album: (
            Album(_id=pk, title=row['title'], artist=row['artist']) for pk, row in albums.items()
        ),
        Track: tracks(),
    }
    await IR.aresetMany(catalogue)
    return edition


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    """Connect, fill an empty database, serve, and close the connections."""
    with ExitStack() as stack:
        if url := os.environ.get('REDIS_URL'):
            IR.setDefaultRedisConnectionParams({'url': url})
        else:
            from IndexedRedis import embedded

            stack.enter_context(embedded.connect())
        try:
            if not await Track.objects.acount():
                await mirror()
            yield
        finally:
            await IR.aclose()


app = FastAPI(title='Music shop', lifespan=lifespan)

# The HTTP status of each error of the library. Any other error is a bug of this program: 500.
STATUS = {
    IR.FieldValueError: 422,
    IR.UsageError: 400,
    IR.ObjectGoneError: 404,
    IR.ConflictError: 503,
    IR.ResetInProgressError: 503,
    IR.ResetLostError: 503,
    redis.RedisError: 503,
}


async def answer_to(request: Request, error: Exception) -> JSONResponse:
    """Return the error as an HTTP response. Users may read the messages of the library."""
    status = next(status for kind, status in STATUS.items() if isinstance(error, kind))
    detail = 'The database does not answer.' if isinstance(error, redis.RedisError) else str(error)
    headers = {'Retry-After': '1'} if status == 503 else None
    return JSONResponse({'detail': detail}, status, headers)


for kind in STATUS:
    app.add_exception_handler(kind, answer_to)


Id = Annotated[int, Path(ge=1, le=2**53)]


@app.get('/tracks', response_model=Found)
async def list_tracks(
    request: Request,
    offset: Annotated[int, Query(ge=0)] = 0,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> dict[str, Any]:
    """List tracks: ``/tracks?artist=AC/DC&genre__ne=Rock``, by any indexed field.

    All tracks are of one edition, even while a reset runs.
    """
    given = request.query_params.items()
    filters = {name: value for name, value in given if name not in ('offset', 'limit')}
    found = await Track.objects.filter(**filters).aallByAge()
    return {'total': len(found), 'tracks': found[offset:][:limit]}


Order = Literal['name', '-name', 'milliseconds', '-milliseconds', 'price', '-price']


@app.get('/tracks/page', response_model=PageOfTracks)
async def page_of_tracks(
    request: Request,
    order: Order = 'name',
    after: str | None = None,
    size: Annotated[int, Query(ge=1, le=200)] = 20,
) -> dict[str, Any]:
    """Show a page of tracks in order: ``/tracks/page?order=-price&genre=Jazz&price__lt=1``."""
    given = request.query_params.items()
    filters = {name: value for name, value in given if name not in ('order', 'after', 'size')}
    query = Track.objects.filter(**filters).orderBy(order)
    try:
        page = await query.apage(size=size, after=after, totalUpTo=10_000)
    except IR.UsageError as error:  # somebody edited the cursor, or changed the order
        raise HTTPException(400, str(error)) from error
    return {
        'total': page.total,
        'exact': page.totalIsExact,
        'next': page.next,
        'tracks': [*page],
    }


@app.get('/tracks/{pk}', response_model=WholeTrack)
async def get_track(pk: Id) -> Track:
    """Return one track with its album and artist."""
    track = await Track.objects.aget(pk, cascadeFetch=True)
    if track is None:
        raise HTTPException(404, f'There is no track {pk}.')
    return track


@app.post('/tracks', response_model=ShownTrack, status_code=201)
async def create_track(given: NewTrack) -> Track:
    """Store a track of an existing album. The next reset removes it."""
    track = Track(**given.model_dump())  # raises where a field cannot hold a value
    album = await Album.objects.aget(given.album, cascadeFetch=True)
    if album is None:
        raise HTTPException(422, f'There is no album {given.album}.')
    track.artist = album.artist.name
    await track.asave()
    return track


@app.delete('/tracks/{pk}', status_code=204)
async def delete_track(pk: Id) -> None:
    """Delete a track."""
    if not await Track.deleter.adeleteByPk(pk):
        raise HTTPException(404, f'There is no track {pk}.')


@app.post('/reset')
async def reset(authorization: Annotated[str, Header()] = '') -> dict[str, str]:
    """Mirror the catalogue again, as the shop's cron job does."""
    token = os.environ.get('RESET_TOKEN')
    if not token:
        raise HTTPException(403, 'Resets are switched off: RESET_TOKEN is not set.')
    if not hmac.compare_digest(authorization.encode(), f'Bearer {token}'.encode()):
        raise HTTPException(401, 'Wrong token.', {'WWW-Authenticate': 'Bearer'})
    return {'edition': await mirror()}


if __name__ == '__main__':
    import uvicorn

    uvicorn.run(app, port=int(os.environ.get('PORT', '8000')))
