"""Readers during resets. The rule: each answer is the whole old data set or the whole new one,
however it is read and however large it is."""

from __future__ import annotations

import pytest

from faults.item import edition
from faults.workers import together


@pytest.mark.parametrize('keep', [False, True], ids=['fresh pks', 'the same pks'])
@pytest.mark.parametrize('size', [60, 400], ids=['one trip', 'chunks'])
def test_readers_see_one_edition(item, four_workers, size, keep):
    item.reset(edition(item, 1, size, range(1, size + 1)))
    read, reset = ('read', {'size': size}), ('reset_often', {'size': size, 'keep': keep})
    counts = together(four_workers, read, read, read, reset, enough={'reads': 400, 'resets': 25})
    assert set(counts) == {'reads', 'resets'}, counts
