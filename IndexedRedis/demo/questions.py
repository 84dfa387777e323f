"""The questions of a shop, asked of the models and of SQLAlchemy's ORM.

The rule: a page is lines of text, made from objects. All systems give the same lines for the same
value.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from sqlalchemy import Engine, func, select
from sqlalchemy.orm import Session, contains_eager

from . import data
from .models import Sale, Track

SHELF = 20  # tracks on a page of a genre
LATEST = 10  # orders on a page of a customer
UNWANTED = 'U2'

Page = list[str]


class Question(NamedTuple):
    """A question of the shop; its name is that of the methods that answer it.

    :param code: the expression of the models
    :param example: the value that is asked for one by one
    """

    name: str
    text: str
    code: str
    example: Any


QUESTIONS = (
    Question(
        'artist',
        'Everything by Iron Maiden, with the albums',
        "Track.objects.filter(artist='Iron Maiden').allByAge()",
        'Iron Maiden',
    ),
    Question(
        'album',
        'The album “Acústico MTV [Live]”, in its order',
        "Track.objects.filter(album='Acústico MTV [Live]').allByAge()",
        'Acústico MTV [Live]',
    ),
    Question(
        'genre',
        'The 20 longest rock tracks, none by U2',
        "Track.objects.filter(genre='Rock', artist__ne='U2')"
        ".orderBy('-milliseconds', '-track_id')[:20]",
        'Rock',
    ),
    Question(
        'count',
        'How many jazz tracks name no composer?',
        "Track.objects.filter(genre='Jazz', composer=None).count()",
        'Jazz',
    ),
    Question(
        'orders',
        'The ten latest orders of customer 7',
        "Sale.objects.filter(customer=7).orderBy('-sale_id')[:10]",
        7,
    ),
)


class FromRedis:
    """The pages, made from models."""

    def artist(self, name: str) -> Page:
        """Return all tracks of an artist."""
        return lines(Track.objects.filter(artist=name).allByAge())

    def album(self, title: str) -> Page:
        """Return the tracks of an album in their order."""
        return lines(Track.objects.filter(album=title).allByAge())

    def genre(self, name: str) -> Page:
        """Return the longest tracks of a genre, without those of one artist."""
        found = Track.objects.filter(genre=name, artist__ne=UNWANTED)
        return lines(found.orderBy('-milliseconds', '-track_id')[:SHELF])

    def count(self, genre: str) -> Page:
        """Return how many tracks of a genre name no composer."""
        return lines(Track.objects.filter(genre=genre, composer=None).count())

    def orders(self, customer: int) -> Page:
        """Return the latest orders of a customer."""
        found = Sale.objects.filter(customer=customer)
        return lines(found.orderBy('-sale_id')[:LATEST])


class FromSql:
    """The pages, made from objects of SQLAlchemy: one statement a page, with joins.

    :param engine: on the shop's database
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        loaded = contains_eager(data.Track.album).contains_eager(data.Album.artist)
        tracks = select(data.Track).join(data.Track.album).join(data.Album.artist)
        self._tracks = tracks.options(loaded)
        sold = contains_eager(data.Sale.track).contains_eager(data.Track.album)
        sales = select(data.Sale).join(data.Sale.track).join(data.Track.album)
        self._sales = sales.join(data.Album.artist).options(sold.contains_eager(data.Album.artist))

    def artist(self, name: str) -> Page:
        """Return all tracks of an artist."""
        return self._page(self._tracks.where(data.Artist.name == name).order_by(data.Track.id))

    def album(self, title: str) -> Page:
        """Return the tracks of an album in their order."""
        return self._page(self._tracks.where(data.Album.title == title).order_by(data.Track.id))

    def genre(self, name: str) -> Page:
        """Return the longest tracks of a genre, without those of one artist."""
        found = self._tracks.join(data.Track.genre).where(
            data.Genre.name == name, data.Artist.name != UNWANTED
        )
        order = (data.Track.milliseconds.desc(), data.Track.id.desc())
        return self._page(found.order_by(*order).limit(SHELF))

    def count(self, genre: str) -> Page:
        """Return how many tracks of a genre name no composer."""
        found = select(func.count()).select_from(data.Track).join(data.Track.genre)
        with Session(self._engine) as session:
            return lines(
                session.scalar(found.where(data.Genre.name == genre, data.Track.composer.is_(None)))
            )

    def orders(self, customer: int) -> Page:
        """Return the latest orders of a customer."""
        found = self._sales.where(data.Sale.customer == customer)
        return self._page(found.order_by(data.Sale.id.desc()).limit(LATEST))

    def _page(self, statement: Any) -> Page:
        with Session(self._engine) as session:
            return lines(session.scalars(statement))


def values(engine: Engine) -> Mapping[str, list[Any]]:
    """Return what the clients ask for, by the name of the question: all that the shop has."""
    with engine.connect() as connection:
        artists = select(data.Artist.name).join(data.Album).distinct().order_by(data.Artist.name)
        albums = select(data.Album.title).distinct().order_by(data.Album.title)
        genres = list(connection.scalars(select(data.Genre.name).order_by(data.Genre.name)))
        return {
            'artist': list(connection.scalars(artists)),
            'album': list(connection.scalars(albums)),
            'genre': genres,
            'count': genres,
            'orders': list(range(1, data.CUSTOMERS + 1)),
        }


def lines(found: Any) -> Page:
    """Return the page of tracks or of orders, of the models or of SQL; or of a number."""
    if isinstance(found, int):
        return [f'{found:,}']
    return [_LINES[type(each)](each) for each in found]


def _track(track: Any) -> str:
    return _line(track.name, track.artist, track.album, track.milliseconds, track.unit_price)


def _mapped_track(track: Any) -> str:
    album = track.album
    return _line(track.name, album.artist.name, album.title, track.milliseconds, track.unit_price)


def _line(name: str, artist: str, album: str, milliseconds: int, price: float) -> str:
    minutes, seconds = divmod(milliseconds // 1000, 60)
    return f'{name} | {artist} | {album} | {minutes}:{seconds:02} | ${price:.2f}'


def _sale(sale: Any) -> str:
    return f'{sale.day} | {sale.track} | {sale.artist} | ${sale.price:.2f} | {sale.state}'


def _mapped_sale(sale: Any) -> str:
    track = sale.track
    shown = f'{track.name} | {track.album.artist.name} | ${track.unit_price:.2f}'
    return f'{sale.day} | {shown} | {sale.state}'


_LINES: Mapping[type[Any], Callable[[Any], str]] = {
    Track: _track,
    Sale: _sale,
    data.Track: _mapped_track,
    data.Sale: _mapped_sale,
}
