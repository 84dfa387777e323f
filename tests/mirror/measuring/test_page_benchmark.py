"""The page that `groups.page` times. The rule: what is compared is equal, line by line."""

from __future__ import annotations

import pytest

from benchmarks.running.process import Process
from benchmarks.running.turns import check, turns_of
from benchmarks.sizes import SIZES
from benchmarks.subjects import catalogue, pages
from IndexedRedis.testing import recordTrips


def test_all_make_the_same_pages(sql, watch_models):
    """In every kind of database, and from the mirror of it."""
    watch_models(*pages.ALL)
    artists = sorted(catalogue.fill(sql, 1))
    catalogue.mirror(sql)
    makers = pages.of_models()
    assert len(makers) == 5
    makers = {name: page for name, page in makers.items() if 'asyncio' not in name}
    assert makers[', links'](1)[0] == (
        'For Those About To Rock (We Salute You) | For Those About To Rock We Salute You | AC/DC | '
        '5:43 | $0.99'
    )
    with recordTrips() as trips:
        assert len(makers[''](1)) == 18
        assert len(trips) == 1
        makers[', links'](1)
        assert len(trips) == 3
    makers |= pages.of_sql(sql)
    for artist in artists[::17]:
        made = {name: page(artist) for name, page in makers.items()}
        assert {name: page for name, page in made.items() if page != made['']} == {}


def test_each_copy_of_the_catalogue_has_artists_of_its_own(lite):
    artists = catalogue.fill(lite, 2)
    assert (len(artists), artists.total()) == (408, 2 * 3503)
    page = pages.of_sql(lite)[', ORM, joins']
    first, second = ([line.split(' | ') for line in page(artist)] for artist in (1, 10_001))
    assert {line[2] for line in first} == {'AC/DC'}
    assert {line[2] for line in second} == {'AC/DC (2)'}
    assert [line[0] for line in first] == [line[0] for line in second]


@pytest.mark.programs
def test_processes_of_every_kind(lite, server, watch_models):
    watch_models(*pages.ALL)
    catalogue.fill(lite, 1)
    catalogue.mirror(lite)
    config = {
        'connection': {'host': '127.0.0.1', 'port': server.port, 'db': 0},
        'sizes': SIZES['tiny'],
    }
    config |= {'urls': {'SQLite': str(lite.url)}, 'artists': [1, 2, 3]}
    processes = [
        Process(name, 'groups.page', {**config, 'subject': name})
        for name in ('IndexedRedis', 'SQLite')
        for _ in range(4)
    ]
    try:
        turns = [
            turn
            for turn in turns_of(processes, 'page')
            if turn.work.name.endswith('32 clients in 4 processes')
        ]
        check(turns)
        samples = {turn.name: turn.sample(None) for turn in turns}
    finally:
        for process in processes:
            process.stop()
    assert samples.keys() == {
        *(f'IndexedRedis{way}' for way in pages.of_models()),
        *(f'SQLite{way}' for way in pages.of_sql(lite)),
    }
    for each in samples.values():
        assert list(each['more']) == ['ms', 'ms, p99', 'us of CPU']
        assert min(each['main'], *each['more'].values()) > 0
