"""resetChanged() of a data set that is stored already, while others write, reset and lose data. The
rule: a call that says that nothing differs is right, and flips nothing; any other call flips."""

from __future__ import annotations

import contextlib

import pytest

import IndexedRedis as IR
from IndexedRedis import ConflictError
from IndexedRedis._core.partitions.layout import tags
from IndexedRedis._core.resets.editions import reset
from IndexedRedis.errors import PartitionLostError, ResetInProgressError, ResetLostError
from partitions.leftovers import assert_clean
from partitions.played import Played
from partitions.rows import SIZE, ask, data_set, extra, extras, process, resetting

pytestmark = pytest.mark.faults
POINTER = '_ir_|{proof}Row:keys:edition'
GIVEN_UP = (ResetLostError, ConflictError, ResetInProgressError)
NOTHING = (0, 0, SIZE, 0)


def again(model):
    """The rows of the first data set, as they are stored, but not the stored objects."""
    stored = sorted(model.objects.all(), key=lambda row: row.n)
    rows = data_set(model, 1)
    for row, old in zip(rows, stored, strict=True):
        row._id = old._id
    return rows


def changing(model, rows):
    """A process is about to give these rows."""
    return Played(lambda: IR.resetChanged([(model, rows)], {model: '_id'}))


def at_each_step(begun):
    """At each step: the process, and its call, which gives what is stored."""
    count = 0
    while True:
        model = begun()
        call = changing(model, again(model))
        if not call.advance(count):
            return
        yield model, call
        count += 1


def test_nothing_is_flipped_and_all_is_told(begun, raw):
    model = begun()
    pointer = raw.get(POINTER)
    rows = again(model)
    call = changing(model, rows)
    told = []
    while not call.ended:
        told.append(call.told())
        call.step()
    assert call.result == [NOTHING]
    assert raw.get(POINTER) == pointer
    written = ('WATCH', 'prepare_flip', 'begin_edition', 'mark_edition')
    assert not [text for text in told if text.startswith(written)]
    assert not any(row.hasUnsavedChanges() for row in rows)
    assert_clean(raw)


def test_another_reset_at_each_step(begun, raw, expire):
    """The process sleeps until its lock is over. It says that nothing differs only if it did so
    before that reset."""
    model = begun()
    call = changing(model, again(model))
    call.until(lambda text: text.startswith('commit_edition'))
    said = call.count
    for _, call in at_each_step(begun):
        count = call.count
        expire()
        resetting(1, 4, 2).finish()
        if not count:  # it begins behind the other one
            assert call.finish() != [NOTHING]
            assert ask(process(2)) == 1
            continue
        with contextlib.nullcontext() if count > said else pytest.raises(GIVEN_UP):
            assert call.finish() == [NOTHING]
        assert ask(process(2)) == 2
        assert_clean(raw)


def test_a_reset_that_stages_at_each_step(begun, raw, expire):
    """One of both goes live, or the one and then the other."""
    for model, call in at_each_step(begun):
        expire()
        second = resetting(1, 4, 2)
        second.until(lambda text: text.startswith('prepare_flip'))
        with contextlib.suppress(*GIVEN_UP):
            assert call.finish() == [NOTHING]
        assert ask(model) == 1
        second.finish()
        assert ask(model) == ask(process(2)) == 2
        assert_clean(raw)


def new(model):
    return extra(model).save


def change(model):
    obj = model.objects.filter(edition=1, n=3).first()
    obj.n = 70
    return obj.save


def delete(model):
    return model.objects.filter(edition=1, n=3).delete


def shown(model):
    return sorted((row._id, row.edition, row.n, row.name) for row in model.objects.all())


@pytest.mark.parametrize('write', [new, change, delete], ids=lambda write: write.__name__)
def test_a_write_at_each_step(begun, raw, write):
    """It stays as one behind the call, or the data set replaces it."""
    stays = 0
    for model, call in at_each_step(begun):
        pointer = raw.get(POINTER)
        write(process(1))()
        told = shown(model)
        (counts,) = call.finish()
        if counts == NOTHING:
            assert raw.get(POINTER) == pointer
            assert shown(model) == told
            stays += 1
        else:
            assert raw.get(POINTER) != pointer
            assert ask(model) == 1
            assert not extras(model)
        assert_clean(raw)
    assert stays > 2


def test_what_the_data_set_lacks_goes_though_another_object_was_deleted_meanwhile(begun, raw):
    """Then as many objects are stored as were found equal."""
    model = begun()
    rows = again(model)
    extra(model).save()
    call = changing(model, rows)
    call.until(lambda text: text.startswith('SSCAN'))
    delete(process(1))()
    assert call.finish() == [(0, 0, SIZE, 1)]
    assert ask(model) == 1
    assert not extras(model)
    assert_clean(raw)


@pytest.fixture
def blocks(monkeypatch):
    """Data sets are compared in blocks of five."""
    monkeypatch.setattr(reset, 'BLOCK', 5)


@pytest.mark.usefixtures('blocks')
@pytest.mark.parametrize('kind', [list, iter])
def test_the_first_difference_is_in_the_last_block(begun, raw, kind):
    model = begun()
    rows = again(model)
    rows[12].name = 'new'
    assert changing(model, kind(rows)).finish() == [(0, 1, SIZE - 1, 0)]
    found = {row._id: row.name for row in model.objects.all()}
    assert found == {row._id: row.name for row in rows}
    assert_clean(raw)


@pytest.mark.usefixtures('blocks')
@pytest.mark.parametrize('kind', [list, iter])
@pytest.mark.parametrize('write', [change, delete], ids=lambda write: write.__name__)
def test_what_was_equal_is_written_before_the_first_difference(begun, raw, kind, write):
    """An iterator cannot be read again, so it is refused as a whole."""
    model = begun()
    rows = again(model)
    rows[12].name = 'new'
    call = changing(model, kind(rows))
    call.until(lambda text: text.startswith('begin_edition'))
    write(process(1))()
    told = shown(model)
    if kind is iter:
        with pytest.raises(ConflictError, match='Nothing was changed; try again, or give a list'):
            call.finish()
        assert shown(model) == told
    else:
        call.finish()
        assert {row.name for row in model.objects.all()} == {row.name for row in rows}
    changing(model, again_of(model)).finish()
    assert_clean(raw)


def again_of(model):
    return [row.copy(copyPrimaryKey=True) for row in model.objects.all()]


@pytest.mark.parametrize('size', [0, SIZE])
def test_a_partition_that_lost_its_data_differs(begun, raw, size):
    """Though the new data set has no object there."""
    model = begun()
    model.reset(data_set(model, 2, size))
    there = [row for row in model.objects.all() if row._id % 4 != 1]
    rows = [model(_id=r._id, edition=r.edition, n=r.n, name=r.name) for r in there]
    raw.delete(*raw.keys(f'_ir_|{{{tags(4)[1].decode()}}}:*'))
    with pytest.raises(PartitionLostError):
        model.objects.all()
    assert changing(model, rows).finish() == [(0, 0, len(rows), 0)]
    assert {row.name for row in process(1).objects.all()} == {row.name for row in rows}
    assert_clean(raw)


def test_of_two_models_the_one_that_differs_is_flipped(begun, raw):
    class Other(IR.IndexedRedisModel):
        FIELDS = [IR.IRField('name')]
        KEY_NAME = '{proof}Other'
        PARTITIONS = 4

    model = begun()
    stored = Other.reset([Other(name='a'), Other(name='b')])
    pointers = [raw.get(POINTER), raw.get('_ir_|{proof}Other:keys:edition')]
    others = [Other(_id=pk, name=name) for pk, name in zip(stored, 'ac', strict=True)]
    groups = [(model, again(model)), (Other, others)]
    counts = IR.resetChanged(groups, dict.fromkeys((model, Other), '_id'), mirrored='2026-01-01')
    assert [*counts] == [NOTHING, (0, 1, 1, 0)]
    assert raw.get(POINTER) == pointers[0]
    assert raw.get('_ir_|{proof}Other:keys:edition') != pointers[1]
    assert sorted(obj.name for obj in Other.objects.all()) == ['a', 'c']
    stamps = {raw.get(f'_ir_|{{proof}}{name}:tmp:mirrored') for name in ('Row', 'Other')}
    assert stamps == {b'2026-01-01'}


def test_an_object_cannot_keep_its_pk_in_another_partition(raw):
    class Stock(IR.IndexedRedisModel):
        FIELDS = [IR.IRField('shop'), IR.IRField('n', valueType=int)]
        INDEXED_FIELDS = ['shop']
        KEY_NAME = '{proof}Stock'
        PARTITIONS = 4
        PARTITION_BY = 'shop'

    raw.flushall()
    stored = Stock.reset([Stock(shop=f's{n}', n=n) for n in range(8)])
    moved = [Stock(_id=pk, shop='s0', n=n) for n, pk in enumerate(stored)]
    with pytest.raises(IR.FieldValueError, match='decides the partition'):
        IR.resetChanged([(Stock, moved)], {Stock: '_id'})
    assert Stock.objects.filter(shop='s0').count() == 1


def test_another_field_that_spreads_the_objects_differs(raw):
    """Though both data sets are empty: else queries would refuse the model for ever."""

    class Stock(IR.IndexedRedisModel):
        FIELDS = [IR.IRField('shop')]
        INDEXED_FIELDS = ['shop']
        KEY_NAME = '{proof}Stock'
        PARTITIONS = 4

    raw.flushall()
    Stock.reset([])
    spread = type('Stock', (Stock,), {'PARTITION_BY': 'shop'})
    with pytest.raises(IR.UsageError, match='spread by'):
        spread.objects.count()
    assert IR.resetChanged([(spread, [])], {spread: 'shop'}) == [(0, 0, 0, 0)]
    assert spread.objects.count() == 0
