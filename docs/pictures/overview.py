"""From SQL to the web workers: what the library is for."""

from __future__ import annotations

from .drawing import Drawing


def draw() -> Drawing:
    """Return the picture."""
    picture = Drawing(
        190,
        'A mirror reads a SQL database every five minutes and swaps the data in Redis.'
        ' Web workers query Redis.',
    )
    picture.store((2, 46, 86, 84), 'sql', ['SQL', 'database'])
    picture.box((124, 56, 92, 64), 'code', ['Mirror', 'a cron job'])
    picture.store((252, 46, 86, 84), 'redis', ['Redis', 'or Valkey'])
    for at, top in enumerate((26, 72, 118)):
        picture.box((378, top, 100, 36), 'new', [f'Worker {at + 1}'])
        picture.arrow((378, top + 18), (342, (62, 90, 118)[at]))
    picture.arrow((90, 90), (122, 90))
    picture.arrow((218, 90), (250, 90))
    picture.text(106, 160, 'SELECT', 'mono')
    picture.text(106, 180, 'every 5 minutes', 'note')
    picture.text(234, 160, 'reset()', 'mono')
    picture.text(234, 180, 'one swap', 'note')
    picture.text(400, 180, 'queries, no SQL', 'note')
    return picture
