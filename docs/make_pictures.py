"""Draw the pictures of the pages into ``_static``: ``python docs/make_pictures.py``."""

from __future__ import annotations

import sys
from pathlib import Path

HERE = Path(__file__).parent
STATIC = HERE / '_static'
sys.path.append(str(HERE))

from pictures import (  # noqa: E402
    algebra,
    cluster,
    compare_and_move,
    flip,
    follow,
    keys,
    overview,
    swap,
)

PICTURES = (algebra, cluster, compare_and_move, flip, follow, keys, overview, swap)


def drawn() -> dict[str, str]:
    """Return the text of each picture by the name of its file."""
    return {f'{each.__name__.split(".")[-1]}.svg': each.draw().svg() for each in PICTURES}


if __name__ == '__main__':
    for name, text in drawn().items():
        (STATIC / name).write_text(text, 'utf-8')
