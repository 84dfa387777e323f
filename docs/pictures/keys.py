"""The keys in Redis for one object. ``tests/pages/test_pictures.py`` stores it and compares."""

from __future__ import annotations

from .drawing import WIDTH, Drawing

# The object with pk 7, and what each key holds once it is stored beside an object with pk 2.
VALUES = {'name': 'Ride On', 'artist': 'AC/DC', 'genre': 'Blues', 'seconds': 351}
BESIDE = {'name': 'T.N.T.', 'artist': 'AC/DC', 'genre': 'Rock', 'seconds': 214}
KEYS = [
    ('data:7', 'hash', 'the row: each field and its bytes'),
    ('keys', 'set', '2 7'),
    ('idx:artist:AC/DC', 'set', '2 7'),
    ('idx:genre:Blues', 'set', '7'),
    ('keys:sorted:seconds', 'sorted set', '2=214 7=351'),
    ('next', 'string', '7'),
]
WHY = {
    'data:7': 'the object itself',
    'keys': 'which objects exist',
    'idx:artist:AC/DC': 'artist="AC/DC"',
    'idx:genre:Blues': 'genre="Blues"',
    'keys:sorted:seconds': 'ranges and order',
    'next': 'the last pk assigned',
}
ROW = 52


def draw() -> Drawing:
    """Return the picture."""
    picture = Drawing(
        98 + ROW * len(KEYS),
        'The keys of one object: a hash with its row, the set of all pks, an index set for each'
        ' indexed value, a sorted set for each sorted field, and the pk counter.',
    )
    picture.box((10, 8, WIDTH - 20, 56), 'code')
    picture.text(WIDTH / 2, 31, "Track(name='Ride On', artist='AC/DC',", 'mono')
    picture.text(WIDTH / 2, 52, "genre='Blues', seconds=351)  # pk 7", 'mono')
    picture.text(12, 90, 'Keys, after _ir_|Tracks:', 'start note')
    picture.text(WIDTH - 12, 90, 'Content', 'end note')
    for at, (key, kind, content) in enumerate(KEYS):
        top = 98 + ROW * at
        picture.box((10, top, WIDTH - 20, ROW - 8), 'redis' if at else 'new')
        picture.text(20, top + 19, key, 'start mono strong')
        picture.text(20, top + 37, WHY[key], 'start note')
        picture.text(WIDTH - 20, top + 19, kind, 'end note')
        picture.text(WIDTH - 20, top + 37, content, 'end small')
    return picture
