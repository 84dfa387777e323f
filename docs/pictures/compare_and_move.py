"""How a save of a changed object keeps its index entries right: compare, then move."""

from __future__ import annotations

from .drawing import Drawing


def draw() -> Drawing:
    """Return the picture."""
    picture = Drawing(
        384,
        'A save sends the expected and the new value. A script compares the expected value'
        ' with the stored one. If they are equal it moves the index entry and writes. If not, it'
        ' writes nothing and returns the stored bytes, and the save sends the script again.',
    )
    picture.box(
        (130, 8, 290, 62), 'code', ['save() of track 7', "genre: expects 'Rock', new 'Blues'"]
    )
    picture.arrow((275, 70), (275, 118))
    picture.box((96, 96, 374, 276), 'plain dashed')
    picture.text(458, 362, 'one script in Redis', 'end note')
    picture.box((146, 120, 258, 62), 'redis', ['Compare', "stored genre is 'Rock'?"])
    picture.arrow((336, 182), (336, 222))
    picture.text(346, 208, 'yes', 'start strong of-new')
    picture.arrow((176, 182), (176, 222))
    picture.text(166, 208, 'no', 'end strong of-redis')
    picture.box((250, 224, 208, 118), 'new')
    picture.text(354, 247, 'Move and write', 'strong')
    for at, line in enumerate(('SREM genre:Rock 7', 'SADD genre:Blues 7', 'HSET data:7 genre …')):
        picture.text(354, 272 + 22 * at, line, 'mono')
    picture.box((106, 224, 132, 80), 'sql', ['Write nothing', 'return the', 'stored bytes'])
    picture.arrow((106, 264), (50, 264), (50, 38), (128, 38))
    picture.text(44, 150, 'again,', 'end small')
    picture.text(44, 168, 'with', 'end small')
    picture.text(44, 186, 'these', 'end small')
    return picture
