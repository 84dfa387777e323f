"""Models on a cluster: tags in their names decide which node holds them."""

from __future__ import annotations

from .drawing import Drawing

NODES = {
    '{shop}': ['Track', 'Album', 'Artist'],
    '{forum}': ['Post', 'Author'],
    '{log}': ['Visit'],
}


def draw() -> Drawing:
    """Return the picture."""
    picture = Drawing(
        356,
        'A program talks to the primaries of a cluster. Models whose names hold the same tag'
        ' are on the same primary. Each primary has a replica.',
    )
    picture.box((120, 8, 240, 56), 'code', ['Your program', 'tag, slot, node'])
    for at, (tag, models) in enumerate(NODES.items()):
        left = 10 + 158 * at
        middle = left + 72
        picture.arrow((180 + 60 * at, 64), (middle, 108))
        picture.box((left, 110, 144, 118), 'redis')
        picture.text(middle, 132, f'Primary {at + 1}', 'strong')
        picture.text(middle, 154, tag, 'mono of-redis')
        for line, model in enumerate(models):
            picture.text(middle, 175 + 20 * line, model, 'small')
        picture.arrow((middle, 228), (middle, 268), classes='dashed')
        picture.box((left, 270, 144, 44), 'new', [f'Replica {at + 1}', 'takes over'])
    picture.text(240, 342, 'One script and one swap reach the models of one tag.', 'note')
    return picture
