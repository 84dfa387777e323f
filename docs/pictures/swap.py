"""The swap of a reset, and what readers see before, during and after it."""

from __future__ import annotations

from .drawing import Drawing

SWAP, GONE = 262, 400  # where the swap is on the axis of time, and where old rows expire


def draw() -> Drawing:
    """Return the picture."""
    picture = Drawing(
        330,
        'A reset stages new rows beside the old ones. One script swaps them. A reader that'
        ' began before the swap gets the old data set, one that began after it the new.',
    )
    picture.box((16, 40, SWAP - 16, 44), 'sql', ['Old data set', 'live'])
    picture.box((SWAP, 40, GONE - SWAP, 44), 'plain dashed', ['Old rows', 'expire in 10 s'])
    picture.box((90, 98, SWAP - 90, 44), 'plain dashed', ['New rows', 'staged, in no query'])
    picture.box((SWAP, 98, 464 - SWAP, 44), 'new', ['New data set', 'live'])
    picture.shape(f'M{SWAP} 24V282', 'line dashed')
    picture.text(SWAP, 17, 'Swap: one script', 'strong of-redis')
    for top, start, end, reader, sees in (
        (178, 40, 150, 'Reader A', 'old'),
        (220, 196, 372, 'Reader B', 'old, whole'),
        (262, 290, 440, 'Reader C', 'new'),
    ):
        kind = 'new' if sees == 'new' else 'sql'
        picture.box((start, top - 13, end - start, 26), kind, [])
        picture.text((start + end) / 2, top + 5, f'{reader}: {sees}', 'small')
    picture.arrow((16, 296), (464, 296))
    picture.text(16, 318, 'Time. No reader waits.', 'start note')
    return picture
