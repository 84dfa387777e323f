"""How a mirror follows its database: the log, the keys, a snapshot, one script."""

from __future__ import annotations

from .drawing import Drawing

LEFT, WIDTH, HEIGHT = 142, 196, 60  # of the steps of the follower


def draw() -> Drawing:
    """Return the picture."""
    picture = Drawing(
        372,
        'The log of a SQL database says which rows changed. The follower collects their keys, reads'
        ' these rows in a snapshot, and writes them and its position in the log by one script.'
        ' Then the database may forget the log up to there.',
    )
    picture.store((2, 40, 88, 264), 'sql', ['SQL', 'database'])
    picture.store((392, 212, 86, 92), 'redis', ['Redis', 'or Valkey'])
    picture.text(LEFT + WIDTH / 2, 20, 'The follower', 'strong of-code')
    for top, lines in (
        (34, ['Log', 'which rows changed']),
        (128, ['Snapshot', 'selects of these rows']),
        (222, ['One script', 'rows and position']),
    ):
        picture.box((LEFT, top, WIDTH, HEIGHT), 'code', lines)
    picture.arrow((90, 64), (LEFT - 2, 64))
    picture.arrow((90, 158), (LEFT - 2, 158))
    picture.arrow((LEFT + WIDTH + 2, 252), (390, 252))
    middle = LEFT + WIDTH / 2
    picture.arrow((middle, 96), (middle, 126))
    picture.text(middle + 12, 116, 'keys: Album 10, 12', 'start mono')
    picture.arrow((middle, 190), (middle, 220))
    picture.text(middle + 12, 210, 'all of commits 7, 8', 'start note')
    picture.arrow((middle, 284), (middle, 330), (46, 330), (46, 308), classes='dashed')
    picture.text(middle + 12, 318, 'then it is applied', 'start note')
    picture.text(2, 354, 'forgets its log up to there', 'start note')
    return picture
