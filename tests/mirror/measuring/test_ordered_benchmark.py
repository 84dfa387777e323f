"""The questions that `groups.ordered` times. The rule: all subjects give the same rows."""

from __future__ import annotations

import pytest

from benchmarks.results import BY_HAND, US
from benchmarks.subjects.ordered import DEAR, EVEN, SIZE, ByHand, Models, Sql, artists

COUNT = 2000
MIDDLE = COUNT // SIZE // 2


@pytest.fixture
def subjects(sql, server, watch_models):
    """The subjects by name; the rows are stored."""
    engine = sql.execution_options(isolation_level='AUTOCOMMIT')
    connection = {'host': '127.0.0.1', 'port': server.port, 'db': 0}
    found = {US: Models(connection), BY_HAND: ByHand(connection)}
    found |= {'SQL': Sql(engine, orm=False), 'ORM': Sql(engine, orm=True)}
    watch_models(found[US].model)
    for each in found.values():
        each.fill(COUNT)
    return found


def same(answers):
    """The answer that all gave."""
    assert {name: each for name, each in answers.items() if each != answers[US]} == {}
    return answers[US]


def test_all_give_the_same_rows(subjects):
    pages = {}
    for title, filters in (('all', {}), ('even', EVEN), ('dear', DEAR)):
        pages[title] = same({name: each.page(**filters) for name, each in subjects.items()})
        assert len(pages[title]) == SIZE
    by_cursor = {name: each.after(each.place(MIDDLE)) for name, each in subjects.items()}
    by_number = {name: each.page(MIDDLE + 1) for name, each in subjects.items()}
    assert same(by_cursor) == same(by_number) != pages['all']
    for size in (2, 20, 1000):
        found = {name: sorted(each.among(artists(size))) for name, each in subjects.items()}
        assert len(same(found)) > size


def test_the_dear_rows_come_last_in_order(subjects):
    """So that a walk along the order meets them last."""
    prices = [int(line.split()[-1]) for line in subjects[BY_HAND].page(**DEAR)]
    assert min(prices) >= 3.5 * COUNT
    assert prices == sorted(prices)
