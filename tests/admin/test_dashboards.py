"""Dashboards, explain and mirrors: what they show is what the library reports."""

from __future__ import annotations

import time
from contextlib import ExitStack

import pytest
from sqlalchemy import create_engine

from admin.serving import Visitor, served
from admin.shop import COLORS, TRACKS, Artist, Color, Track
from IndexedRedis import IRField
from IndexedRedis.admin.dashboards import age_of
from IndexedRedis.mirror import Mirror
from IndexedRedis.mirror.lock import only_run

pytestmark = pytest.mark.programs


def settled(visitor, path):
    """The page when nothing runs any more."""
    deadline = time.monotonic() + 60
    while 'data-ir-running' in (page := visitor.see(path)).html:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    return page


def test_the_overview_counts_all_models(visit):
    page = visit().see('/')
    for model, count in ((Artist, 3), (Track, TRACKS)):
        assert f'{count} objects' in ' '.join(page.text.split())
        assert model.__name__ in page.text


def test_a_dashboard_shows_what_info_reports(visit):
    page = settled(visit(), '/-/Track/dashboard')
    report = Track.objects.info()
    text = ' '.join(page.text.split())
    for field in report.fields:
        assert (f'data-ir-index="{field.name}"' in page.html) == (
            field.index is not None and '<' not in field.name
        )
        if field.index:
            assert f'{field.index.sets:,}' in text
    assert 'Rock 15' in text and 'null 1' in text, 'frequent values'
    assert 'IRNullType' not in text
    for part in ('rows', 'index sets', 'sorted sets', 'set of all pks'):
        assert part in text
    assert all(advice in text for advice in report.advice)


def test_a_check_runs_and_its_findings_stay(visit, raw):
    visitor = visit()
    raw.srem('_ir_|AdminTrack:idx:genre:Rock', 1)
    page = visitor.see('/-/Track/dashboard')
    visitor.submit('/-/Track/dashboard', page, what='check')
    page = settled(visitor, '/-/Track/dashboard')
    assert '1 found' in page.text
    assert str(Track.objects.check()) in page.text
    Track.objects.repair()
    visitor.submit('/-/Track/dashboard', page, what='check')
    assert 'nothing found' in settled(visitor, '/-/Track/dashboard').text
    assert 'nothing found' in visitor.see('/').text


def test_explain_is_that_of_the_library(visit):
    visitor = visit()
    page = visitor.see('/-/Track/explain?lines=genre=Rock%0Aseconds__gte=110&analyze=on')
    wanted = str(Track.objects.filter(genre='Rock', seconds__gte=110).explain())
    assert wanted.splitlines()[0] in page.text
    assert 'bytes sent' in page.text
    listed = visitor.see('/-/Track/explain?filter=genre__eq=Rock&sort=seconds__desc&page=2')
    query = Track.objects.filter(genre='Rock').orderBy('-seconds')[20:40]
    assert repr(query) in listed.text and str(query.explain()) in listed.text
    for wrong, message in (
        ('nothing=1', 'nothing'),
        ('seconds__gte=x', 'seconds'),
        ('x', 'is not a filter'),
    ):
        assert message in visitor.see(f'/-/Track/explain?lines={wrong}').text


def test_a_search_that_no_field_can_hold_asks_nothing(make_model):
    model = make_model([IRField('number', valueType=int)], indexed=['number'])
    with served([model]) as address, Visitor(address) as visitor:
        assert 'nothing is asked' in visitor.see(f'/-/{model.__name__}/explain?q=x').text
        assert 'No object matches' in visitor.see(f'/{model.__name__}/list?q=x').text


def test_a_large_query_is_not_run_to_measure_it(visit, monkeypatch):
    monkeypatch.setattr('IndexedRedis.admin.dashboards.MOST_MEASURED', 10)
    page = visit().see('/-/Track/explain?lines=&analyze=on')
    assert 'at most 10' in page.text and 'measured' not in page.text


@pytest.fixture
def colors(tmp_path, watch_models):
    """A mirror of a table with three colors; its URL has a password."""
    watch_models(Color)
    engine = create_engine(f'sqlite:///{tmp_path / "colors.sqlite"}')
    with engine.begin() as sql:
        sql.exec_driver_sql('CREATE TABLE color (name TEXT)')
        sql.exec_driver_sql("INSERT INTO color VALUES ('red'), ('green'), (NULL)")
    yield Mirror(engine, {Color: 'SELECT name FROM color'})
    engine.dispose()


@pytest.mark.parametrize('read_only', [True, False])
def test_mirrors_run_and_report(colors, read_only):
    with ExitStack() as stack:
        address = stack.enter_context(served([Color], [colors], readOnly=read_only))
        visitor = stack.enter_context(Visitor(address))
        page = visitor.see('/-/mirrors')
        assert 'not mirrored' in page.text
        assert 'sqlite' not in page.html, 'nothing of the database'
        visitor.submit('/-/mirrors/run', page, how='dry')
        page = settled(visitor, '/-/mirrors')
        assert 'dry run, nothing written' in page.text
        assert Color.objects.count() == 0
        assert ('Run now' in page.text) != read_only
        answer = visitor.submit('/-/mirrors/run', page, how='real')
        if read_only:
            assert (answer.status, Color.objects.count()) == (403, 0)
            return
        page = settled(visitor, '/-/mirrors')
        assert 'Color: 3 rows, 3 written' in page.text
        assert 'second' in page.text, 'the age of the data'
        assert Color.objects.count() == 3
        for number in ('7', '²'):
            assert visitor.submit('/-/mirrors/run', page, mirror=number).status == 404


def test_a_run_of_another_program_is_seen(colors):
    with served([Color], [colors]) as address, Visitor(address) as visitor:
        assert 'another program' not in visitor.see('/-/mirrors').text
        with only_run([Color]):
            assert 'A run of another program is under way' in visitor.see('/-/mirrors').text


def test_a_follower_of_another_program_is_seen(followed):
    def shown():
        return ' '.join(visitor.see('/-/mirrors').text.split())

    with served([Color], [followed.mirror]) as address, Visitor(address) as visitor:
        assert 'a process follows' in shown()
        assert 'Last commit none Applied 0 transactions, 0 rows Full swaps 1' in shown()
        assert 'another program is under way' not in shown()
        with followed.engine.begin() as sql:
            sql.execute(COLORS.insert(), [{'name': 'black'}, {'name': 'white'}])
        followed.until(lambda: followed.mirror.status().rows == 2)
        assert 'a process follows' in shown()
        followed.stop()
        status = followed.mirror.status()
        assert 'no process follows' in shown() and 'of the log when it ended' in shown()
        assert f'Last commit {status.lastCommit[:10]}' in shown()
        assert f'Applied {status.commits} transactions, 2 rows' in shown()
        assert f'Name colors Position {status.position} ' in shown()
        assert 'sqlite' not in visitor.see('/-/mirrors').html, 'nothing of the database'
        followed.mirror.run()
        assert 'Follower' not in shown(), 'the data is no longer that of the follower'


def test_a_refused_run_says_why(colors):
    with colors._database.begin() as sql:
        sql.exec_driver_sql('DELETE FROM color')
    named = {'colors of the shop': colors}
    with served([Color], named, readOnly=False) as address, Visitor(address) as visitor:
        visitor.submit('/-/mirrors/run', visitor.see('/-/mirrors'), how='real')
        page = settled(visitor, '/-/mirrors')
    assert 'refused or failed' in page.text and 'no object to store' in page.text
    assert 'colors of the shop' in page.text


def test_a_server_that_is_away_is_a_page_without_its_password(new_server, watch_models, tmp_path):
    own = new_server(requirepass='geheim')
    away = Artist.connectAlt({'host': '127.0.0.1', 'port': own.port, 'password': 'geheim'})
    away(name='Abba').save()
    with served([away]) as address, Visitor(address) as visitor:
        paths = ('/', f'/{away.__name__}/list', f'/-/{away.__name__}/dashboard')
        pages = [visitor.see(path) for path in paths]
        assert 'Abba' in pages[1].text
        own.kill()
        gone = [visitor.see(path) for path in paths]
        assert [page.status for page in gone] == [503] * 3
        assert all('geheim' not in page.html for page in [*pages, *gone])


@pytest.mark.parametrize(
    ('seconds', 'text'),
    [
        (0, '0 seconds'),
        (119, '119 seconds'),
        (120, '2 minutes'),
        (7200, '2 hours'),
        (1e6, '11 days'),
    ],
)
def test_the_age_of_data(seconds, text):
    from datetime import UTC, datetime, timedelta

    assert age_of(datetime.now(UTC) - timedelta(seconds=seconds + 0.1)) == text
    assert age_of(None) == ''
