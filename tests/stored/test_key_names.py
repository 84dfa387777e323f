"""Names that would meet in the key space. The rule: what could be taken for the keys of another
model, or of another index, is refused before anything is written."""

from __future__ import annotations

import pytest
from support.keyspace import dump

from IndexedRedis import InvalidModelException


@pytest.mark.parametrize('name', ['A:{}', 'A:{}:B', 'A:B:{}', 'A:{}:keys'])
@pytest.mark.parametrize('kind', ['data', 'idx', 'keys', 'next', 'tmp'])
def test_a_name_that_holds_a_kind_of_key_is_refused(make_model, raw, watch, name, kind):
    model = make_model(['a'], indexed=['a'], key_name=name.format(kind))
    for use in (lambda: model(a='x'), lambda: model.objects.all(), lambda: model.reset([])):
        with pytest.raises(InvalidModelException, match=f':{kind}'):
            use()
    assert dump(raw) == {}
    watch.models.clear()


def test_indexes_that_would_share_keys_are_refused(make_model, raw, watch):
    model = make_model(['a', 'a:b'], indexed=['a', 'a:b'])
    with pytest.raises(InvalidModelException, match='a:b'):
        model(a='x')
    assert dump(raw) == {}
    watch.models.clear()
