"""The page that `benchmarks.page` times. The rule: what is compared is equal, line by line."""

from __future__ import annotations

import pytest

from benchmarks.page import catalogue, models, pages
from benchmarks.page.measure import PAGES_OF
from benchmarks.running.load import Loaded, Shape, check_answers, measure_load
from benchmarks.running.process import Process
from IndexedRedis.testing import recordTrips


def test_all_make_the_same_pages(sql, watch_models):
    """In every kind of database, and from the mirror of it."""
    watch_models(*models.ALL)
    artists = catalogue.fill(sql, 1)
    catalogue.mirror(sql)
    makers = pages.of_models()
    assert {*makers} == {*PAGES_OF['IndexedRedis']}
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
    assert (len(artists), len(set(artists))) == (408, 408)
    page = pages.of_sql(lite)[', ORM, joins']
    first, second = ([line.split(' | ') for line in page(artist)] for artist in (1, 10_001))
    assert {line[2] for line in first} == {'AC/DC'}
    assert {line[2] for line in second} == {'AC/DC (2)'}
    assert [line[0] for line in first] == [line[0] for line in second]


@pytest.mark.programs
def test_processes_of_every_kind(lite, server, watch_models):
    watch_models(*models.ALL)
    catalogue.fill(lite, 1)
    catalogue.mirror(lite)
    config = {'connection': {'host': '127.0.0.1', 'port': server.port, 'db': 0}, 'sizes': 'tiny'}
    config['urls'] = {'SQLite': str(lite.url)}
    teams = {
        name: [Process(name, 'page.pages', {**config, 'subject': name}) for _ in range(2)]
        for name in ('IndexedRedis', 'SQLite')
    }
    try:
        subjects = [
            Loaded(name + page, team, page, None)
            for name, team in teams.items()
            for page in PAGES_OF[name]
        ]
        assert check_answers(subjects, [1]) == [pages.of_sql(lite)[', plain rows'](1)]
        samples = measure_load(Shape('two by two', 2, 2), subjects, [1, 2, 3], 1, 0.01)
    finally:
        for team in teams.values():
            for process in team:
                process.stop()
    assert samples.keys() == {subject.name for subject in subjects}
    for (each,) in samples.values():
        assert list(each['more']) == ['ms', 'ms, p99', 'us of CPU']
        assert min(each['main'], *each['more'].values()) > 0


class Answering:
    """A process that answers at once."""

    def __init__(self, *answers):
        self.answers = list(answers)

    def ask(self, *command):
        return self.answers


@pytest.mark.parametrize('wrong', [['b'], []])
def test_other_answers_are_not_timed(wrong):
    right = Loaded('one', [Answering(['a'])], 'joined', None)
    other = Loaded('other', [Answering(wrong)], 'joined', None)
    with pytest.raises(SystemExit, match='other answers 7 otherwise'):
        check_answers([right, other], [7])
    assert check_answers([right], [7]) == [['a']]
