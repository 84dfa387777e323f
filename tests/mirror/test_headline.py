"""The page that `benchmarks.headline` times. The rule: what is compared is equal, line by line, and
tables say nothing that the samples do not."""

from __future__ import annotations

import contextlib

import pytest

from benchmarks.headline import catalogue, measuring, mirroring, models, pages, showing
from benchmarks.headline.subjects import Subject, of_models, of_sql
from benchmarks.results import Result, figure
from IndexedRedis.testing import recordTrips


def test_all_make_the_same_pages(sql, watch_models):
    """In every kind of database, and from the mirror of it."""
    watch_models(*(getattr(models, name) for name in models.__all__))
    artists = catalogue.fill(sql, 1)
    mirroring.mirror(sql)
    makers = pages.of_models(models)
    assert makers['linked'](1)[0] == (
        'For Those About To Rock (We Salute You) | For Those About To Rock We Salute You | AC/DC | '
        '5:43 | $0.99'
    )
    with recordTrips() as trips:
        assert len(makers['joined'](1)) == 18
        assert len(trips) == 1
        makers['linked'](1)
        assert len(trips) == 3
    makers |= pages.of_sql(sql)
    for artist in artists[::17]:
        made = {name: page(artist) for name, page in makers.items()}
        assert {name: page for name, page in made.items() if page != made['joined']} == {}


def test_each_copy_of_the_catalogue_has_artists_of_its_own(lite):
    artists = catalogue.fill(lite, 2)
    assert (len(artists), len(set(artists))) == (408, 408)
    page = pages.of_sql(lite)['joins']
    first, second = ([line.split(' | ') for line in page(artist)] for artist in (1, 10_001))
    assert {line[2] for line in first} == {'AC/DC'}
    assert {line[2] for line in second} == {'AC/DC (2)'}
    assert [line[0] for line in first] == [line[0] for line in second]


def test_workers_of_every_kind(lite, server, watch_models, monkeypatch):
    monkeypatch.setattr(measuring, 'SECONDS', 0.01)
    watch_models(*(getattr(models, name) for name in models.__all__))
    catalogue.fill(lite, 1)
    mirroring.mirror(lite)
    expected = pages.of_sql(lite)['rows'](1)
    with contextlib.ExitStack() as stack:
        subjects = of_models(stack, 2, server.port, 0, None)
        subjects += of_sql(stack, 2, 'SQLite', str(lite.url), None)
        assert measuring.check_answers(subjects, [1]) == [expected]
        shape = measuring.Shape('two by two', 2, 2)
        results = measuring.measure(shape, subjects, [1, 2, 3], 1)
    names = {subject.name for subject in subjects}
    assert {result.unit for result in results} <= {*measuring.UNITS}
    assert all(result.figures.keys() == names for result in results)
    assert all(min(each.samples) > 0 for result in results for each in result.figures.values())


class Team:
    """Workers that answer at once."""

    server = None

    def __init__(self, *pages):
        self.pages = list(pages)

    def ask(self, commands):
        return [self.pages for _ in commands]


@pytest.mark.parametrize('wrong', [['b'], []])
def test_other_answers_are_not_timed(wrong):
    subjects = [Subject('one', Team(['a']), 'joined'), Subject('other', Team(wrong), 'joined')]
    with pytest.raises(SystemExit, match='other: another page of artist 7'):
        measuring.check_answers(subjects, [7])
    assert measuring.check_answers(subjects[:1], [7]) == [['a']]


def test_the_table_is_made_of_the_samples(tmp_path, monkeypatch):
    throughput = {'IndexedRedis': figure([600.0, 800.0]), 'SQLite, ORM, joins': figure([100.0])}
    times = {'IndexedRedis': figure([1.5]), 'SQLite, ORM, joins': figure([10.0])}
    results = [
        Result('a page', unit, figures, higher_is_better=unit == 'pages/s')
        for unit, figures in zip(measuring.UNITS, [throughput, times, times, times], strict=True)
    ]
    assert [' '.join(line.split()) for line in showing.as_text(results).splitlines()] == [
        'a page',
        'subject pages/s times SQLite, ORM, joins ms ms, p99 us of CPU',
        'IndexedRedis 700 (650-750) 7.00 1.50 1.50 1.50',
        'SQLite, ORM, joins 100 (100-100) 1.00 10.0 10.0 10.0',
    ]
    monkeypatch.setattr(showing, 'PAGE', tmp_path / 'docs' / 'headline.rst')
    on = {'date': 'today', 'cores': 2, 'processor': 'x', 'server': 'Valkey', 'load': 1}
    on |= {'python': '3', 'redis': '8', 'hiredis': '3', 'sql': 'SQLite 3'}
    showing.save(tmp_path / 'run.json', on, [results])
    showing.write_docs(tmp_path / 'run.json')
    written = (tmp_path / 'docs' / 'headline.rst').read_text('utf-8')
    assert '   * - IndexedRedis\n     - 700 (650-750)\n     - 7.00\n' in written
    assert (tmp_path / 'docs' / 'headline.json').read_text() == (tmp_path / 'run.json').read_text()
