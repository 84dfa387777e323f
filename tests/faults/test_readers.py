"""Readers during resets. The rule: each answer is the whole old data set or the whole new one,
however it is read and however large it is."""

from __future__ import annotations

from collections import Counter

import pytest

from faults.item import edition
from faults.workers import together

SECONDS = 2.5


@pytest.mark.parametrize('keep', [False, True], ids=['fresh pks', 'the same pks'])
@pytest.mark.parametrize('size', [60, 400], ids=['one trip', 'chunks'])
def test_readers_see_one_edition(item, four_workers, size, keep):
    item.reset(edition(item, 1, size, range(1, size + 1)))
    read = 'read', {'size': size, 'seconds': SECONDS}
    resets = 'reset_often', {'size': size, 'seconds': SECONDS + 0.2, 'keep': keep}
    *readers, writer = together(four_workers, read, read, read, resets)
    counts = sum(map(Counter, readers), Counter())
    assert writer['resets'] >= 20
    assert counts['reads'] >= 200
    assert set(counts) == {'reads'}, counts
