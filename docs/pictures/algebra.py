"""A query as set algebra: an intersection, and a difference."""

from __future__ import annotations

from .drawing import Drawing


def draw() -> Drawing:
    """Return the picture."""
    picture = Drawing(
        372,
        'The query artist AC/DC and not genre Rock takes the pks of the index set of AC/DC'
        ' that are in the set of all pks and not in the index set of Rock.',
    )
    picture.text(240, 22, "filter(artist='AC/DC', genre__ne='Rock')", 'mono strong')
    picture.box((16, 42, 448, 208), 'plain')
    picture.text(28, 64, 'keys: all objects', 'start note')
    left, right = 'M70 160a92 78 0 1 0 184 0a92 78 0 1 0 -184 0', 'M206 160a92 78 0 1 0 184 0'
    picture.shape(left, 'new')
    picture.shape(right + 'a92 78 0 1 0 -184 0', 'redis')
    picture.text(146, 115, 'artist:AC/DC', 'mono of-new')
    picture.text(318, 115, 'genre:Rock', 'mono of-redis')
    for x, y, pk in ((126, 170, '2'), (164, 196, '7'), (230, 166, '1'), (330, 170, '3')):
        picture.text(x, y, pk, 'strong')
    picture.text(428, 226, '4', 'strong')
    picture.arrow((150, 252), (150, 282))
    picture.box((16, 284, 268, 74), 'code')
    picture.text(28, 308, 'SINTER keys artist:AC/DC', 'start mono')
    picture.text(28, 328, 'without genre:Rock', 'start mono')
    picture.text(28, 348, 'in the server', 'start note')
    picture.arrow((286, 321), (322, 321))
    picture.box((324, 284, 140, 74), 'new', ['Pks 2, 7', 'and their rows,', 'one round trip'])
    return picture
