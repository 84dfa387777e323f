"""A query holds no results, so it is neither true nor false, and has no length."""

from __future__ import annotations

import pytest


def test_a_query_is_neither_true_nor_false(make_model):
    model = make_model(['v'], ['v'])
    model.reset([model(v='x')])
    for query in (model.objects, model.objects.filter(v='x'), model.objects.filter(v='y')):
        with pytest.raises(TypeError, match=r'count\(\) > 0'):
            bool(query)
        with pytest.raises(TypeError, match=r'count\(\)'):
            len(query)
    assert len(list(model.objects)) == 1
    assert list(model.objects.filter(v='y')) == []
