"""The page for people who come from 6.0.3. The rule: it leaves out nothing that behaves
differently, and every row says what to do."""

from __future__ import annotations

import pathlib
import re

import pytest

PAGE = pathlib.Path(__file__).parents[3] / 'docs' / 'upgrading.rst'
# The quirks of 6.0.3 that were found; the gaps were never used.
QUIRKS = [
    *(1, 2, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26),
    *(27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40, 41, 42, 43, 44, 46, 47, 50, 51, 52),
    *(53, 60, 61, 62, 63),
]
KEPT = range(1, 16)


@pytest.mark.parametrize('number', [*(f'Q{n}' for n in QUIRKS), *(f'K{n}' for n in KEPT)])
def test_every_number_has_a_row(number):
    rows = re.split(r'\n   \* - ', PAGE.read_text('utf-8'))[1:]
    assert any(re.search(rf'\b{number}\b', row.partition('\n     - ')[0]) for row in rows), number


def test_no_number_is_made_up():
    known = {*(f'Q{n}' for n in QUIRKS), *(f'K{n}' for n in KEPT)}
    assert set(re.findall(r'\b[QK]\d+\b', PAGE.read_text('utf-8'))) <= known


def test_every_row_is_complete():
    tables = PAGE.read_text('utf-8').split('.. list-table::')[1:]
    assert len(tables) > 5
    for table in tables:
        head, *rows = re.split(r'\n   \* - ', table.split('\n\n\n')[0])
        width = len(re.search(r':widths: (.*)', head).group(1).split())
        for row in rows:
            assert len(re.findall(r'\n     - ', row)) == width - 1, row
