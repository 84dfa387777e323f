"""``count()`` while index sets hold pks of a reset that has not swapped yet, or that is still to be
swept. The rule: only objects count."""

from __future__ import annotations

import pytest

from IndexedRedis import IRField
from IndexedRedis._core.queries import set_algebra

FILTERS = [
    {'genre': 'rock'},
    {'genre__ne': 'rock'},
    {'genre': 'rock', 'year': 1},
    {'genre': 'rock', 'year__ne': 1},
    {'genre__ne': 'rock', 'year__ne': 1},
    {'genre': 'polka'},
]


@pytest.fixture
def songs(make_model, raw):
    fields = [IRField('name'), IRField('genre'), IRField('year', valueType=int)]
    model = make_model(fields, ['genre', 'year'])
    objs = [model(name=str(i), genre='rock' if i % 3 else 'pop', year=i % 2) for i in range(12)]
    model.saver.save(objs)
    for rest in ('genre:rock', 'year:1', 'genre:polka'):  # what was staged, say
        raw.sadd(f'_ir_|{model.KEY_NAME}:idx:{rest}', 100, 101)
    raw.hset(f'_ir_|{model.KEY_NAME}:tmp:resets', 'TOKEN', 'staging')
    return model


def expected(model, filters):
    return len(model.objects.filter(**filters).all())


@pytest.mark.damaged
@pytest.mark.parametrize('filters', FILTERS, ids=str)
def test_small_sets_are_counted_without_what_is_no_object(songs, filters):
    assert songs.objects.filter(**filters).count() == expected(songs, filters)


@pytest.mark.plain_model
@pytest.mark.damaged
def test_large_sets_are_taken_as_they_are_unless_writers_touched_them(songs, raw, monkeypatch):
    monkeypatch.setattr(set_algebra, 'UNSETTLED_MEMBERS', 5)
    assert songs.objects.filter(genre='rock').count() == 10  # 8, and 2 that a reset never leaves
    raw.sadd(f'_ir_|{songs.KEY_NAME}:tmp:touched', f'_ir_|{songs.KEY_NAME}:idx:genre:rock')
    assert songs.objects.filter(genre='rock').count() == 8
