"""Print the tables of ``docs/explanation/scale.rst``; with ``--docs``, make them anew."""

import sys
from pathlib import Path

from ..table import as_rst, as_text
from .tables import tables

FOLDER = Path(__file__).parents[2] / 'docs' / 'explanation' / 'scale'

if __name__ == '__main__':
    for name, cells in tables().items():
        print(as_text(name, cells) + '\n')
        if '--docs' in sys.argv:
            (FOLDER / f'{name}.rst').write_text(as_rst(cells), 'utf-8')
