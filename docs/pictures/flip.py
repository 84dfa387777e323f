"""The steps of a flip over partitions, and what a primary that fails at each of them changes."""

from __future__ import annotations

from .drawing import Drawing

# Each step: its name, what it does, what a failure means there, and the colour of that.
STEPS = [
    ('1 Stage', 'rows to all partitions', 'The flip is given up.', 'redis'),
    ('2 Prepare', 'fences: writers wait', 'Given up, with one replica.', 'redis'),
    ('3 WAIT', 'a replica has it', 'Given up, with one replica.', 'redis'),
    ('4 Commit', 'pointer, one script', 'It waits 4 to 5 s.', 'sql'),
    ('5 Apply', 'fences: writers go on', 'It waits 4 to 5 s.', 'sql'),
    ('6 Retire', 'old rows expire', 'The next reset finishes it.', 'new'),
]
TOP, STEP = 44, 54


def draw() -> Drawing:
    """Return the picture."""
    picture = Drawing(
        TOP + STEP * len(STEPS) + 34,
        'A flip in six steps: stage, prepare, WAIT, commit, apply, retire. If a primary fails'
        ' during the first three, nothing changes. During commit and apply the flip waits for'
        ' the failover.',
    )
    picture.text(108, 26, 'The flip', 'strong')
    picture.text(352, 26, 'If a primary fails there', 'strong')
    for at, (name, does, failure, kind) in enumerate(STEPS):
        top = TOP + STEP * at
        picture.box((8, top, 200, 44), 'code', [name, does])
        picture.arrow((208, top + 22), (236, top + 22), classes='dashed')
        picture.box((238, top, 234, 44), kind, [])
        picture.text(355, top + 27, failure, 'small')
        if at:
            picture.arrow((108, top - 10), (108, top))
    picture.text(
        8, TOP + STEP * len(STEPS) + 20, 'Writers wait from step 2 to step 5.', 'start note'
    )
    return picture
