"""What type checkers refuse. Each line is wrong, and both checkers say so: an ignore that ignores
nothing is an error."""

# pyright: reportUnknownMemberType=false

from __future__ import annotations

from models import Artist, Color, Track

from IndexedRedis import IndexedRedisModel, IRField
from IndexedRedis.fields import IRForeignLinkField


def names(track: Track) -> None:
    track.nmae  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue]
    track.nmae = 'x'  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue]
    Track.nmae  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue]
    Track.objects.frist()  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue]
    Track(nmae='x')  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    Track('x')  # type: ignore[arg-type, call-arg]  # pyright: ignore[reportCallIssue]


def values(track: Track) -> None:
    track.seconds = 'x'  # type: ignore[assignment]  # pyright: ignore[reportAttributeAccessIssue]
    track.price = None  # type: ignore[assignment]  # pyright: ignore[reportAttributeAccessIssue]
    track.artist = track  # type: ignore[assignment]  # pyright: ignore[reportAttributeAccessIssue]
    track.color = 'red'  # type: ignore[assignment]  # pyright: ignore[reportAttributeAccessIssue]
    Track(seconds='x')  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    Track(price=None)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    Track(artist=Color.RED)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


def nulls(track: Track) -> None:
    track.seconds + 1  # type: ignore[operator]  # pyright: ignore[reportOperatorIssue]
    track.artist.name  # type: ignore[union-attr]  # pyright: ignore[reportAttributeAccessIssue, reportOptionalMemberAccess]
    Track.objects.first().name  # type: ignore[union-attr]  # pyright: ignore[reportOptionalMemberAccess]


def models(artist: Artist) -> None:
    Track.reset([artist])  # type: ignore[list-item]  # pyright: ignore[reportArgumentType]
    Track.saver.save(artist)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


class Wrong(IndexedRedisModel):
    KEY_NAME = 'Wrong'

    number: IRField[int] = IRField(valueType=str)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    artist: IRForeignLinkField[Artist] = IRForeignLinkField(Track)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
