"""From SQL into Redis, as a cron job would do it."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Engine, Select, select

from IndexedRedis.mirror import Mirror

from . import catalogue
from .catalogue import Album, Artist
from .models import LinkedAlbum, LinkedArtist, LinkedTrack, Track

__all__ = ('mirror',)


def mirror(engine: Engine) -> None:
    """Put the catalogue into the models, in the order of the ids."""
    joined = _tracks(Artist.name.label('artist'), Album.title.label('album')).join(Album.artist)
    selects = {
        Track: joined,
        LinkedTrack: _tracks(
            catalogue.Track.album_id.label('album'), Album.artist_id.label('artist')
        ),
        LinkedAlbum: select(Album.id, Album.artist_id.label('artist'), Album.title),
        LinkedArtist: select(Artist.id, Artist.name),
    }
    Mirror(engine, selects, keys={LinkedAlbum: 'id', LinkedArtist: 'id'}).run()


def _tracks(*more: Any) -> Select[Any]:
    track = catalogue.Track
    columns = (track.id, track.name, track.milliseconds, track.unit_price)
    chosen = select(*columns, Album.artist_id, *more).join_from(track, Album)
    return chosen.order_by(track.id)
