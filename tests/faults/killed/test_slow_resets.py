"""A lock that runs out while a data set comes slowly. The rule: the reset goes on if nobody else
had the lock meanwhile; else it raises, and nothing of it is ever seen."""

from __future__ import annotations

import contextlib

import pytest

import IndexedRedis as IR
from faults.item import contents, edition, over
from faults.proxy import INTERLEAVED
from IndexedRedis import ConflictError, ResetInProgressError, ResetLostError
from IndexedRedis._core.resets import diff, staging, swap


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch):
    """More steps, as with many objects."""
    for place, name, size in (
        (swap, 'BLOCK', 2),
        (staging, 'CHUNK', 1),
        (staging, 'LISTED', 1),
        (diff, 'BLOCK', 2),
    ):
        monkeypatch.setattr(place, name, size)


def reset(model, objs):
    model.reset(objs)


def reset_many(model, objs):
    IR.resetMany([(model, objs)])


def reset_changed(model, objs):
    IR.resetChanged([(model, objs)], {model: 'n'})


def destroy(model, _):
    model.deleter.destroyModel()


def repair(model, _):
    model.objects.repair()


RESETS = [reset, reset_many, reset_changed]
each = pytest.mark.parametrize('mine', RESETS, ids=lambda way: way.__name__)


def new(mine):
    """What it stores: for a reset the same few values again and again."""
    return [('e2', n if mine is reset_changed else n % 2, 2) for n in range(6)]


def slowly(model, mine, then):
    """A data set in the middle of which something happens."""
    for number, (name, n, of) in enumerate(new(mine)):
        if number == 4:
            then()
        yield model(name=name, n=n, edition=of)


@each
def test_it_goes_on_if_nobody_else_came(item, stored, mine):
    item.reset(edition(item, 1, 3))
    mine(item, slowly(item, mine, stored.end_lock))
    assert contents(item) == new(mine)
    stored.check()
    assert stored.kept_work_keys() == []


@each
@pytest.mark.parametrize('other', [*RESETS, destroy, repair], ids=lambda way: way.__name__)
def test_it_is_lost_if_another_one_came(item, proxy, stored, mine, other, figures):
    """Whichever reply is lost afterwards, so that its command is sent again."""
    model, old, others = over(proxy.params), edition(item, 1, 3), edition(item, 3, 4)
    expected = {destroy: [], repair: [('e1', n, 1) for n in range(3)]}.get(
        other, [('e3', n, 3) for n in range(4)]
    )

    def act():
        stored.end_lock()
        other(item, [obj.copy() for obj in others])
        proxy.fault(number, 'lost')

    count = number = 0
    while number <= count:
        stored.empty()
        item.saver.save([obj.copy() for obj in old])
        with pytest.raises(ResetLostError):
            mine(model, slowly(model, mine, act))
        count = len(proxy.commands) if number == 0 else count
        assert contents(item) == expected
        stored.check(pending=True)
        item.reset(edition(item, 4, 1))
        stored.check()
        assert stored.kept_work_keys() == []
        number += 1
    assert proxy.happened == count > 3
    figures('resets whose lock ran out', lost=number)


@each
def test_whoever_lost_all_keys_is_not_told_that_it_paused(item, stored, raw, mine):
    """Somebody flushed the database, or the server was restarted."""
    item.reset(edition(item, 1, 3))
    with pytest.raises(ResetLostError, match=r'lost its lock.*somebody deletes.*restarts'):
        mine(item, slowly(item, mine, raw.flushdb))
    assert contents(item) == []
    stored.check()


@pytest.mark.parametrize('way', ['save', 'delete', 'save and delete'])
@pytest.mark.parametrize('at', range(1, 6))
def test_nobody_takes_a_pk_of_a_reset_that_pauses_for_long(item, stored, way, at):
    """Its lock has run out; what it drew and staged stays its own."""
    item.reset(edition(item, 1, 3))
    pk = 3 + at  # those of the first blocks are staged by then, the others are not even drawn

    def meddle():
        stored.end_lock()
        if 'save' in way:
            with contextlib.suppress(ResetInProgressError):
                item(_id=pk, name='e9', n=9, edition=9).save()
        if 'delete' in way:
            item.deleter.deleteByPk(pk)

    with contextlib.suppress(ConflictError):  # a pk that was drawn just then
        item.reset(slowly(item, reset, meddle))
    assert contents(item) in (new(reset), [*[('e1', n, 1) for n in range(3)], *([('e9', 9, 9)])])
    stored.check()
    assert stored.kept_work_keys() == []


def test_what_others_change_after_it_was_compared_is_of_the_new_data_set(item, stored):
    """All of it, also a field that was the same in the old data set and in the new one."""
    item.reset(edition(item, 1, 3))
    first, second, third = [item(_id=n + 1, name='e2', n=n, edition=2) for n in range(3)]

    def objs():
        yield from (first, second)
        obj = item.objects.get(1)
        obj.name, obj.n, obj.edition = 'e9', 5, 9
        obj.save()
        yield third

    IR.resetChanged([(item, objs())], {item: '_id'})
    assert contents(item) == [('e2', n, 2) for n in range(3)]
    stored.check()


def test_rows_that_others_change_beside_a_resetChanged_do_not_mix(item, proxy, stored):
    """Another process changes all fields of each row, between any two commands."""
    model, new, number, count = over(proxy.params), [('e2', n, 1) for n in range(3)], 0, 0

    def change():
        for obj in item.objects.all():
            obj.name, obj.n, obj.edition = f'o{obj._id}', 5, 9
            obj.save()

    while number <= count:
        stored.empty()
        item.saver.save(edition(item, 1, 3))
        objs = [item(_id=n + 1, name=name, n=n, edition=of) for name, n, of in new]
        proxy.fault(number, INTERLEAVED, change)
        IR.resetChanged([(model, objs)], {model: '_id'})
        count = len(proxy.commands) if number == 0 else count
        found = contents(item)
        assert found in (new, [(f'o{n}', 5, 9) for n in (1, 2, 3)]), f'command {number}'
        stored.check()
        number += 1
    assert count > 5


def test_a_staged_set_that_lacks_a_member_is_not_put_in_place(item, raw, stored):
    item.reset(edition(item, 1, 3))

    def damage():
        (name,) = raw.keys('_ir_|Item:tmp:*:keys')
        raw.spop(name)

    with pytest.raises(ResetLostError):
        item.reset(slowly(item, reset, damage))
    assert contents(item) == [('e1', n, 1) for n in range(3)]
    item.reset(edition(item, 4, 1))
    stored.check()
