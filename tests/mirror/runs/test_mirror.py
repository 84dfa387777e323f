"""A mirror of the whole catalogue, from each kind of database. The rule: what SQL says is what the
models say, links included, while a reader sees one edition or the other."""

from __future__ import annotations

import datetime

import pytest
from sqlalchemy import delete, insert, select, update

from IndexedRedis import irNull
from IndexedRedis.mirror import Mirror
from mirror.catalogue import (
    STAFF,
    TABLES,
    Album,
    Artist,
    Employee,
    Track,
    album,
    artist,
    employee,
    fill,
    mirror_of,
    new_edition,
    track,
)


def as_sql_says(engine):
    """Compare each row with its object, following the links by key."""
    with engine.connect() as connection:
        for model, table in TABLES.items():
            rows = {row['id']: dict(row) for row in connection.execute(select(table)).mappings()}
            found = {obj.id: shown(obj) for obj in model.objects.all(cascadeFetch=True)}
            assert found.keys() == rows.keys()
            for key, row in rows.items():
                assert found[key] == {name: plain(value) for name, value in row.items()}


def shown(obj):
    values = {name: getattr(obj, name) for name in obj.FIELDS}
    return {str(k): v.id if hasattr(v, 'FIELDS') else v for k, v in values.items()}


def plain(value):
    if value is None:
        return irNull
    if isinstance(value, datetime.date):
        return datetime.datetime(value.year, value.month, value.day)
    return value if isinstance(value, (int, str)) else float(value)


def test_full(shop, check, reader):
    mirror = mirror_of(shop)
    report = mirror.run()
    as_sql_says(shop)
    assert report.mode == 'full'
    assert (report.models['Track'].read, report.models['Track'].written) == (3503, 3503)
    with shop.begin() as connection:
        new_edition(connection, 2)
        connection.execute(delete(track).where(track.c.milliseconds > 600_000))
        connection.execute(insert(artist), {'id': 999, 'name': None, 'edition': 2})
    report = mirror.run()
    as_sql_says(shop)
    check()
    assert report.models['Track'].removed == 3503
    assert len(reader.seen) >= 2
    assert Track.objects.mirroredAt() == datetime.datetime.fromisoformat(report.mirrored)
    assert {model.objects.mirroredAt() for model in TABLES} == {Track.objects.mirroredAt()}


def test_only_changes(shop, check):
    mirror = mirror_of(shop, mode='diff', maxChanges=20_000)
    assert mirror.run().models['Artist'].written == 275
    pks = {obj.id: obj._id for obj in Track.objects.all()}
    with shop.begin() as connection:
        new_edition(connection, 2)
    report = mirror.run()
    assert report.mode == 'diff', report
    as_sql_says(shop)
    assert {obj.id: obj._id for obj in Track.objects.all()} == pks
    with shop.begin() as connection:
        connection.execute(insert(artist), {'id': 999, 'name': 'new', 'edition': 2})
        connection.execute(insert(album), {'id': 999, 'artist': 999, 'title': 'x', 'edition': 2})
        connection.execute(update(track).where(track.c.id == 5).values(album=999))
        connection.execute(delete(track).where(track.c.id == 77))
        connection.execute(update(employee).where(employee.c.id == 3).values(reports_to=None))
    report = mirror.run()
    as_sql_says(shop)
    check()
    figures = {
        name: (each.read, each.written, each.unchanged, each.removed)
        for name, each in report.models.items()
    }
    assert figures['Track'] == (3502, 1, 3501, 1)
    assert figures['Artist'] == (276, 1, 275, 0)
    assert figures['Employee'] == (7, 1, 6, 0)
    assert Track.objects.filter(album=Album.objects.filter(id=999).first()).first().id == 5


def test_too_many_changes_become_a_full_swap(shop, check):
    mirror = mirror_of(shop, mode='diff', maxChanges=50)
    report = mirror.run()
    assert (report.mode, report.models['Track'].written) == ('full', 3503)
    assert 'more than 50 objects differ' in report.fallback
    assert mirror.run().mode == 'diff'
    with shop.begin() as connection:
        new_edition(connection, 2)
    assert mirror.run().mode == 'full'
    as_sql_says(shop)
    check()


def test_the_tables_fit_together_whatever_is_committed_meanwhile(shop):
    """A writer commits between the selects; what is mirrored is the database of one moment."""
    if shop.dialect.name == 'sqlite':
        with shop.connect() as connection:
            connection.exec_driver_sql('PRAGMA journal_mode=WAL')
    done = []

    def commit(name, count, total):
        if not done:
            done.append(name)
            with shop.begin() as connection:
                new_edition(connection, 2)

    mirror_of(shop).run(progress=commit)
    assert done
    assert {obj.edition for model in TABLES for obj in model.objects.all()} == {1}


def test_bosses_before_and_after_their_people(shop):
    mirror_of(shop).run()
    found = {obj.id: obj.reports_to for obj in Employee.objects.all(cascadeFetch=True)}
    assert {key: boss and boss.id for key, boss in found.items()} == {
        key: boss or irNull for key, boss in STAFF
    }
    assert {obj.id for obj in Employee.objects.filter(reports_to=found[3])} == {3, 7}


@pytest.mark.parametrize('mode', ['full', 'diff'])
def test_bosses_in_a_circle(shop, mode, check):
    with shop.begin() as connection:
        connection.execute(update(employee).where(employee.c.id == 4).values(reports_to=3))
    report = mirror_of(shop, maxChanges=20_000).run(mode=mode)
    assert report.mode == 'full'
    assert ('circle' in report.fallback) == (mode == 'diff')
    as_sql_says(shop)
    check()


def test_progress_and_dry_run(shop, raw):
    told = []
    report = mirror_of(shop).run(dryRun=True, progress=lambda *step: told.append(step))
    assert report.dryRun
    assert report.models['Track'].read == report.models['Track'].written == 3503
    assert raw.keys('*') == []
    tracks = [step for step in told if step[0] == 'Track']
    assert tracks == [('Track', n, 3503) for n in (0, 1000, 2000, 3000, 3503)]
    names = [name for name, *_ in told]
    assert names.index('Artist') < names.index('Album') < names.index('Track')


def test_text_and_mapped_names(sql, watch_models):
    watch_models(Album, Artist)
    with sql.begin() as connection:
        fill(connection)
    renamed = 'SELECT id AS ID, name AS called, edition, 5 AS other FROM artist -- all of them'
    albums = 'SELECT id, artist, title AS Title, edition FROM album ORDER BY title;'
    mirror = Mirror(
        str(sql.url.render_as_string(hide_password=False)),
        {Album: albums, Artist: renamed},
        columns={Artist: {'called': 'name', 'other': None}},
        keys={Artist: 'id'},
    )
    report = mirror.run(progress=lambda *step: None)
    assert report.models['Artist'].written == 275
    first = Album.objects.filter(artist=Artist.objects.filter(name='AC/DC').first())
    assert sorted(obj.id for obj in first.all()) == [1, 4]
