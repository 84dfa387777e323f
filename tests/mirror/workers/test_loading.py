"""Several processes load a mirror. The rule: what they load is what one process loads, and what
they refuse is what one process refuses."""

from __future__ import annotations

import pytest
from sqlalchemy import insert, text, update

from IndexedRedis import GuardRefusedError
from IndexedRedis.mirror import Mirror
from mirror.conftest import server
from mirror.workers import jobs
from mirror.workers.conftest import url_of
from mirror.workers.jobs import Page, Word, mirror_of, page, page_word, pages_of, word

POSTGRESQL = pytest.mark.parametrize('sql', [server('postgresql')], indirect=True)


def stored(*models):
    """What all objects hold, with keys of rows in the place of pks."""
    keys = {m: {obj._id: getattr(obj, str(m.FIELDS[0])) for obj in m.objects.all()} for m in models}
    found = {}
    for model in models:
        for obj in model.objects.all():
            values = obj.asDict()
            for field in model.FIELDS:
                if hasattr(field, 'foreignModel'):
                    pks = getattr(obj, f'{field}__id') or ()
                    of = keys[field.foreignModel]
                    values[str(field)] = [
                        of[pk] for pk in (pks if field.isMulti() else [pks]) if pk
                    ]
            place = (model, keys[model][obj._id])
            assert place not in found
            found[place] = values
    return found


def figures(report):
    names = ('read', 'written', 'bad', 'skipped', 'dangling')
    return {n: [getattr(m, name) for name in names] for n, m in report.models.items()}


def test_the_catalogue(shop):
    seen = []
    several = mirror_of(url_of(shop), workers=3)
    report = several.run(progress=lambda *step: seen.append(step))
    loaded = stored(*jobs.TABLES)
    assert jobs.Track.objects.mirroredAt().isoformat() == report.mirrored
    alone = mirror_of(url_of(shop)).run()
    assert stored(*jobs.TABLES) == loaded
    assert figures(report) == figures(alone)
    assert {*report.seconds} == {*alone.seconds}
    assert min(report.seconds.values()) > 0
    assert report.models['Track'].bytes > 100_000
    done = [rows for name, rows, _ in seen if name == 'Track']
    assert (done[-1], done) == (3503, sorted(done))
    assert {total for name, _, total in seen if name == 'Track'} == {3503}


def test_text_keys_and_a_join_table(pages):
    report = pages_of(url_of(pages)).run()
    loaded = stored(Page, Word)
    assert len(loaded) == 2 * jobs.ROWS
    assert loaded[Page, 8]['words'] == ['w24', 'w56']
    alone = pages_of(url_of(pages)).run(workers=1)
    assert stored(Page, Word) == loaded
    assert figures(report) == figures(alone)


def spoil(connection):
    """Bad rows and dangling links, wherever they are cut."""
    connection.execute(insert(page), [{'id': None, 'rate': 1}, {'id': None, 'rate': 2}])
    doubled = [{'id': n, 'rate': 2} for n in (5, 1500, 3900)]
    connection.execute(insert(page), doubled)
    connection.execute(insert(word), [{'code': None, 'n': 1}])
    connection.execute(update(page).where(page.c.id.in_([0, 2000, 3999])).values(word='gone'))
    connection.execute(insert(page_word), [{'page': 9_999, 'word': 'w1'}, {'page': 4, 'word': '?'}])


def test_bad_rows_and_dangling_links_of_all_parts(pages):
    with pages.begin() as connection:
        spoil(connection)
    lenient = {'skipBad': True, 'dangling': 'null'}
    before = {'Word': 1, 'Page': 5}, {'Word': 0, 'Page': 5}
    refused = []
    for workers in (3, 1):
        with pytest.raises(GuardRefusedError) as raised:
            pages_of(url_of(pages)).run(workers=workers)
        refused.append([problem.partition(':\n')[0] for problem in raised.value.problems])
        assert Page.objects.count() == 0
    assert refused[0] == refused[1]
    assert refused[0] == [
        'Word: 1 rows do not fit (skipBad leaves such rows out)',
        'Page: 5 rows do not fit (skipBad leaves such rows out)',
        "Page: 5 links lead to no row (dangling='null' or 'skip' accepts them)",
    ]
    report = pages_of(url_of(pages), **lenient).run()
    assert (
        {n: m.bad for n, m in report.models.items()},
        {n: m.dangling for n, m in report.models.items()},
    ) == before
    assert figures(report) == figures(pages_of(url_of(pages), **lenient).run(workers=1))


def test_the_number_of_all_rows_is_judged(pages):
    pages_of(url_of(pages)).run()
    with pages.begin() as connection:
        connection.execute(text('DELETE FROM page_word'))
        connection.execute(text('DELETE FROM page WHERE id >= 1500'))
    with pytest.raises(
        GuardRefusedError, match='1,500 objects would replace 4,000, a drop of 62 %'
    ):
        pages_of(url_of(pages)).run()
    with pages.begin() as connection:
        connection.execute(text('DELETE FROM page'))
    with pytest.raises(GuardRefusedError, match='Page: no object to store; 0 rows'):
        pages_of(url_of(pages)).run()
    assert Page.objects.count() == 4000


def test_keys_that_are_equal_for_the_model_only(pages):
    with pages.begin() as connection:
        connection.execute(insert(word), [{'code': f'W{n}', 'n': n} for n in range(20)])
    with pytest.raises(GuardRefusedError, match='different workers read have the same key'):
        pages_of(url_of(pages), foldKeys=[Word], skipBad=True).run()
    assert Word.objects.count() == 0


@POSTGRESQL
def test_values_that_the_driver_cannot_read_name_the_row(pages):
    with pages.begin() as connection:
        connection.execute(text("UPDATE page SET at = 'infinity' WHERE id IN (7, 3990)"))
    with pytest.raises(GuardRefusedError, match=r"row 3990: Page\.at: cannot hold 'infinity'"):
        pages_of(url_of(pages)).run()
    report = pages_of(url_of(pages), skipBad=True).run()
    assert report.models['Page'].bad == 2
    assert Page.objects.count() == 3998


@POSTGRESQL
def test_a_select_that_gives_other_rows_each_time_is_refused(pages):
    chance = Mirror(
        url_of(pages),
        {Word: 'SELECT * FROM word WHERE random() < 0.5'},
        keys={Word: 'code'},
        workers=3,
    )
    with pytest.raises(GuardRefusedError, match='It gives other rows whenever it runs'):
        chance.run()
    assert Word.objects.count() == 0


def test_one_moment_while_others_write(pages):
    """Each transaction makes all rates and all numbers of words the same."""
    import threading

    over, edition = threading.Event(), 1

    def write():
        nonlocal edition
        while not over.is_set():
            edition += 1
            with pages.begin() as connection:
                connection.execute(update(page).values(rate=edition + 100))
                connection.execute(update(word).values(n=edition + 100))

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for _ in range(2):
            begun = edition
            pages_of(url_of(pages)).run()
            rates = {obj.rate for obj in Page.objects.all()}
            assert rates == {obj.n for obj in Word.objects.all()} or rates == {1}
            assert len(rates) == 1
            assert edition > begun
    finally:
        over.set()
        writer.join()


def test_text_of_sql(pages):
    mirror = Mirror(
        url_of(pages),
        {Word: "SELECT code, n FROM word WHERE code LIKE 'w%' ORDER BY n;"},
        keys={Word: 'code'},
        workers=2,
    )
    assert mirror.run().models['Word'].written == 4000
    assert {obj.n for obj in Word.objects.all()} == {*range(4000)}


def test_a_dry_run_has_one_process(pages):
    report = pages_of(url_of(pages)).run(dryRun=True)
    assert report.dryRun
    assert report.models['Page'].read == 4000
    assert Page.objects.count() == 0


def test_rows_keep_their_pks(pages):
    mirror = pages_of(url_of(pages), keepPks=[Word])
    mirror.run()
    before = {obj.code: obj._id for obj in Word.objects.all()}
    with pages.begin() as connection:
        connection.execute(insert(word), [{'code': 'new', 'n': 1}])
        connection.execute(update(page).where(page.c.id < 100).values(word='new'))
    mirror.run()
    after = {obj.code: obj._id for obj in Word.objects.all()}
    assert after.pop('new') not in before.values()
    assert after == before
    assert Page.objects.filter(id=99).first().word.code == 'new'
