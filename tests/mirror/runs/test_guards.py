"""What speaks against a swap. The rule: each guard refuses with a reason that names the place, all
reasons come at once, and the stored data is as it was."""

from __future__ import annotations

import datetime

import pytest
from sqlalchemy import delete, insert, select, update

from IndexedRedis import GuardRefusedError, IRField, irNull
from IndexedRedis.mirror import Mirror
from mirror.catalogue import (
    TABLES,
    Album,
    Artist,
    Employee,
    Track,
    artist,
    employee,
    new_edition,
    track,
)
from mirror.catalogue import mirror_of as mirror


@pytest.fixture
def changed(small, reader):
    """The catalogue is mirrored, and SQL has edition 2; a reader never sees that."""
    mirror(small).run()
    with small.begin() as connection:
        new_edition(connection, 2)
    yield small
    if reader.is_alive():
        assert {obj.edition for model in TABLES for obj in model.objects.all()} == {1}
        assert Track.objects.count() == 3503


def refused(engine, *told, **rules):
    with pytest.raises(GuardRefusedError) as caught:
        mirror(engine, **rules).run()
    for text in told:
        assert text in str(caught.value)
    return caught.value.problems


def change(engine, *statements):
    with engine.begin() as connection:
        for statement in statements:
            connection.execute(statement)


def test_nothing_to_store(changed):
    change(changed, delete(employee))
    assert refused(changed, 'Employee: no object to store; 0 rows (allowEmpty)') != []
    refused(changed, 'Employee: no object', mode='diff', maxChanges=90_000)
    refused(changed, 'Employee: no object', mode='diff')
    refused(changed, 'Employee: no object', allowEmpty=[Track])


def test_a_drop(changed):
    change(changed, delete(track).where(track.c.id > 1500))
    (text,) = refused(changed)
    assert text == ('Track: 1,500 objects would replace 3,503, a drop of 57 % (maxDrop=50).')
    refused(changed, 'Track: 1,500', mode='diff', maxChanges=90_000)
    assert mirror(changed, maxDrop=60).run(dryRun=True).models['Track'].read == 1500
    assert mirror(changed, maxDrop=None).run(dryRun=True).models['Track'].read == 1500


def test_links_that_lead_nowhere(changed):
    change(
        changed,
        update(track).where(track.c.id <= 12).values(album=7777),
        update(employee).where(employee.c.id == 3).values(reports_to=8888),
    )
    problems = refused(changed, mode='full')
    assert [text.split('\n')[0] for text in problems] == [
        "Track: 12 links lead to no row (dangling='null' or 'skip' accepts them):",
        "Employee: 1 links lead to no row (dangling='null' or 'skip' accepts them):",
    ]
    assert problems[0].count('album = 7777 in the row') == 10
    assert problems[1].endswith('\n  reports_to = 8888 in the row 3')


def test_rows_that_do_not_fit(changed):
    change(
        changed,
        update(track).where(track.c.id.between(1, 12)).values(milliseconds='long'),
        update(track).where(track.c.id == 2000).values(name='IRNullType()'),
        update(artist).where(artist.c.id == 1).values(name='IRNullType()'),
    )
    problems = refused(changed)
    assert problems[0].startswith('Artist: 1 rows do not fit (skipBad leaves such rows out):')
    assert 'row 1: Artist.name: cannot hold' in problems[0]
    # Its albums lead nowhere then.
    assert 'artist = 1 in the row' in problems[1]
    assert problems[2].startswith('Track: 13 rows do not fit')
    assert problems[2].count('\n') == 10
    assert "row 12: Track.milliseconds: cannot hold 'long'" not in problems[2]


def test_a_value_without_a_stored_form(changed, make_model):
    """All of them are told."""

    class Odd:
        def __init__(self, value):
            pass

        def __str__(self):
            raise ValueError('odd')

    model = make_model([IRField('id', valueType=int), IRField('name', valueType=Odd)])
    odd = Mirror(changed, {model: 'SELECT id, name FROM artist WHERE id < 4'}, keys={model: 'id'})
    with pytest.raises(GuardRefusedError, match='3 rows do not fit') as caught:
        odd.run()
    assert 'row 2: ' in str(caught.value)
    assert 'name: cannot hold' in str(caught.value)
    report = Mirror(changed, {model: 'SELECT id, name FROM artist'}, allowEmpty=True).run(
        skipBad=True, dryRun=True
    )
    assert report.models[model.__name__].bad == 275


@pytest.mark.parametrize(
    ('sql', 'columns', 'told'),
    [
        ('SELECT id, naem, edition FROM a', {}, ["'naem' feeds no field. Did you mean 'name'?",
                                                 "no column feeds the field 'name'."]),
        ('SELECT id, edition FROM a', {}, ["no column feeds the field 'name'."]),
        ('SELECT id, name, edition, id AS x FROM a', {}, ["the column 'x' feeds no field."]),
        ('SELECT id, name, edition, naem FROM a', {'naem': 'name'}, ["feed the field 'name'"]),
        ('SELECT id, name, edition FROM a', {'nme': 'name'}, ["has no column 'nme'. Did you"]),
        ('SELECT name, edition FROM a', {}, ["the key 'id' is no column", "the field 'id'"]),
    ],
)  # fmt: skip
def test_columns_that_do_not_fit(lite, watch_models, sql, columns, told):
    with lite.begin() as connection:
        connection.exec_driver_sql('CREATE TABLE a (id INTEGER, name TEXT, naem TEXT, edition INT)')
    watch_models(Artist)
    with pytest.raises(GuardRefusedError) as caught:
        Mirror(lite, {Artist: sql}, columns={Artist: columns}, keys={Artist: 'id'}).run()
    for text in told:
        assert text in str(caught.value)
    assert all(line.startswith('Artist: ') for line in caught.value.problems)


@pytest.mark.parametrize('name', ['keys of no row', 'the same key twice'])
def test_keys_that_tell_nothing_apart(changed, name):
    with changed.connect() as connection:
        assert connection.execute(select(artist).where(artist.c.id == 1)).one()
    value = 'NULL' if name == 'keys of no row' else '1'
    sql = f'SELECT id, name, edition FROM artist UNION ALL SELECT {value}, name, 2 FROM artist'
    rules = {'mode': 'diff', 'maxChanges': 9999, 'keepPks': True}
    odd = Mirror(changed, {Artist: sql}, keys={Artist: 'id'}, **rules)
    told = 'whose key, id, is null' if value == 'NULL' else 'a second row with the key 1'
    with pytest.raises(GuardRefusedError, match=f'275 rows do not fit(.|\n)*{told}'):
        odd.run()


LET_PASS = [
    ({'dangling': 'null'}, 3503, 7),
    ({'dangling': 'skip'}, 3491, 4),
]


@pytest.mark.parametrize('mode', ['full', 'diff'])
@pytest.mark.parametrize(('rules', 'tracks', 'staff'), LET_PASS)
def test_what_the_rules_let_pass(small, reader, rules, tracks, staff, mode):
    """The boss of 2 is not there; 1 reports to 2, and 3 and 7 to 1."""
    change(
        small,
        update(track).where(track.c.id <= 12).values(album=7777),
        update(employee).where(employee.c.id == 2).values(reports_to=8888),
    )
    report = mirror(small, mode=mode, maxChanges=90_000, **rules).run()
    assert report.mode == mode
    assert (Track.objects.count(), report.models['Track'].dangling) == (tracks, 12)
    null = rules['dangling'] == 'null'
    assert {obj.id for obj in Employee.objects.all()} == (
        {1, 2, 3, 4, 5, 6, 7} if null else {4, 5, 6}
    )
    assert 'Track: 12 links that lead to no row:' in str(report)
    if null:
        assert Track.objects.filter(id=5).first().album is irNull
        assert {obj.id for obj in Employee.objects.filter(reports_to=irNull)} == {2, 4}
    else:
        assert report.models['Track'].skipped == 12


def test_bad_rows_can_be_left_out(small, reader):
    change(small, update(track).where(track.c.id <= 12).values(milliseconds='long'))
    report = mirror(small).run(skipBad=True)
    assert (report.models['Track'].bad, report.models['Track'].written) == (12, 3491)
    assert "Track: 12 rows left out:\n  row 1: Track.milliseconds: cannot hold 'long'" in str(
        report
    )
    assert mirror(small, skipBad=True).run(mode='diff').models['Track'].unchanged == 3491


def test_an_empty_table_that_is_fine(small, check):
    change(small, delete(employee))
    assert mirror(small, allowEmpty=[Employee]).run().models['Employee'].written == 0
    assert mirror(small, allowEmpty=True).run().models['Employee'].written == 0
    assert Album.objects.count() == 347
    check()


def test_dates_and_moments(lite, make_model):
    model = make_model([IRField('id', valueType=int), IRField('at', valueType=datetime.datetime)])
    with lite.begin() as connection:
        connection.exec_driver_sql('CREATE TABLE t (id INTEGER PRIMARY KEY, at TEXT)')
        connection.exec_driver_sql("INSERT INTO t VALUES (1, '2020-02-29 10:00:00'), (2, NULL)")
    Mirror(lite, {model: 'SELECT * FROM t'}).run()
    found = {obj.id: obj.at for obj in model.objects.all()}
    assert found == {1: datetime.datetime(2020, 2, 29, 10), 2: irNull}


def test_the_first_mirror_of_an_empty_database(small, reader):
    """No drop is too much where nothing is stored."""
    assert mirror(small, maxDrop=0).run().models['Track'].written == 3503
    with small.begin() as connection:
        connection.execute(insert(artist), {'id': 999, 'name': 'x', 'edition': 1})
    assert mirror(small, maxDrop=0).run().models['Artist'].written == 276
