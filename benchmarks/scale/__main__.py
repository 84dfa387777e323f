"""Print the tables of ``docs/explanation/scale.rst``; with ``--docs``, make them anew."""

import sys
from pathlib import Path

from ..table import as_rst, as_text
from .tables import tables

FOLDER = Path(__file__).parents[2] / 'docs' / 'explanation' / 'scale'


def pages() -> dict[str, str]:
    """Return the files that the page includes, by name."""
    return {f'{name}.rst': as_rst(cells) for name, cells in tables().items()}


if __name__ == '__main__':
    for name, cells in tables().items():
        print(as_text(name, cells) + '\n')
    if '--docs' in sys.argv:
        for name, text in pages().items():
            (FOLDER / name).write_text(text, 'utf-8')
