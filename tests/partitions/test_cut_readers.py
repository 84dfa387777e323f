"""A flip between any two steps of a read. The rule: the answer is one data set, and never older
than an answer that was there before the read began."""

from __future__ import annotations

import pytest

from IndexedRedis._core.queries import by_pk, fetch
from partitions.played import Played
from partitions.rows import SIZE, ask, data_set, edition_of, process, resetting

pytestmark = pytest.mark.faults


def whole(rows):
    return edition_of(rows)


def counted(count):
    assert count == SIZE


READS = {
    'all': (lambda model: model.objects.all(), whole),
    'filtered': (lambda model: model.objects.filter(edition__ne=0).all(), whole),
    'ordered': (lambda model: model.objects.orderBy('n').all(), whole),
    'count': (lambda model: model.objects.count(), counted),
    'filtered count': (lambda model: model.objects.filter(edition__ne=9).count(), counted),
}
# How far another reset is while the read goes on.
MOMENTS = {
    'whole': lambda reset: reset.finish(),
    'committed': lambda reset: (reset.until(lambda t: t.startswith('commit')), reset.step()),
    'applied by half': lambda reset: (
        reset.until(lambda t: t.startswith('advance')),
        reset.advance(2),
    ),
    'retired by half': lambda reset: (
        reset.until(lambda t: t.startswith('PEXPIRE') and 'data' in t),
        reset.step(),
    ),
}


@pytest.fixture
def small_steps(monkeypatch):
    """Reads in chunks from the third object on."""
    monkeypatch.setattr(fetch, 'SMALL_RESULT_ROWS', 2)
    monkeypatch.setattr(fetch, 'CHUNK_ROWS', 2)
    monkeypatch.setattr(by_pk, 'CHUNK_ROWS', 2)


@pytest.mark.usefixtures('small_steps')
@pytest.mark.parametrize('partitions', [4, 6])
@pytest.mark.parametrize('moment', MOMENTS)
@pytest.mark.parametrize('knows', [True, False], ids=['knows an edition', 'knows none'])
def test_a_flip_between_two_steps(begun, moment, partitions, knows):
    one = begun()
    edition = 1
    for act, judge in READS.values():
        count = 0
        while True:
            ask(one)
            model = one if knows else process(1)
            read = Played(lambda: act(model))  # noqa: B023
            if not read.advance(count):
                break
            edition += 1
            reset = resetting(2, partitions, edition)
            MOMENTS[moment](reset)
            found = judge(read.finish())
            assert found in (None, edition - 1, edition)
            assert ask(process(1)) == ask(one) == edition
            reset.finish()
            count += 1
        assert count > 2


@pytest.mark.usefixtures('small_steps')
def test_a_reader_that_slept_until_its_edition_was_gone(begun, raw):
    one = begun()
    edition = 1
    for act, judge in READS.values():
        count = 0
        while True:
            ask(one)
            read = Played(lambda: act(one))  # noqa: B023
            if not read.advance(count):
                break
            edition += 1
            other = process(1)
            other.reset(data_set(other, edition))
            expired = [key for key in raw.scan_iter('_ir_*') if raw.ttl(key) > 0]
            raw.delete(*expired)
            assert judge(read.finish()) in (None, edition)
            count += 1
        assert count > 2
