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
    picture.store((6, 46, 88, 84), 'sql', ['SQL', 'database'])
    picture.box((134, 56, 88, 64), 'code', ['Mirror', 'a cron job'])
    picture.store((262, 46, 88, 84), 'redis', ['Redis', 'or Valkey'])
    for at, top in enumerate((26, 72, 118)):
        picture.box((390, top, 84, 36), 'new', [f'Worker {at + 1}'])
        picture.arrow((390, top + 18), (354, (62, 90, 118)[at]))
    picture.arrow((96, 90), (132, 90))
    picture.arrow((224, 90), (260, 90))
    picture.text(114, 160, 'SELECT', 'mono')
    picture.text(114, 180, 'every 5 minutes', 'note')
    picture.text(242, 160, 'reset()', 'mono')
    picture.text(242, 180, 'one swap', 'note')
    picture.text(392, 180, 'queries, no SQL', 'note')
    return picture
