"""check() and repair() of models with partitions. The rule: they find what they find in a plain
model, in each partition, and what is wrong with the partitions themselves."""

from __future__ import annotations

import pytest
from support.keyspace import dump

from conformance.partitions.made import (
    COUNT,
    LOCK,
    NAME,
    POINTER,
    RECORD,
    fences,
    fill,
    goods,
    keys_of,
    songs,
    tag_of,
)
from IndexedRedis import ConflictError, PartitionLostError, UsageError
from IndexedRedis._core.integrity import partitioned


@pytest.fixture
def sound(redis_params):
    model = songs()
    fill(model)
    return model


def counts(report):
    assert sum(map(len, report.examples.values())) == min(report.counts.total(), 10), str(report)
    return dict(report.counts)


def test_nothing_is_wrong_with_what_this_version_writes(sound, raw):
    before, seen = dump(raw), []
    report = sound.objects.check(progress=lambda *step: seen.append(step))
    assert (report.ok, report.counts, report.objects, report.entries) == (True, {}, 400, 800)
    assert dump(raw) == before
    assert {step for step, _, _ in seen} == {'objects', 'keys'}
    assert [step for step in seen if step[0] == 'objects'][-1] == ('objects', 400, 400)
    assert seen[-1][1] == seen[-1][2]
    repaired = sound.objects.repair()
    assert (repaired.ok, repaired.counts, repaired.objects) == (True, {}, 400)
    assert dump(raw) == before


def test_a_model_that_was_never_written(redis_params, raw):
    report = songs().objects.check()
    assert (report.ok, report.objects, report.counts) == (True, 0, {})
    assert songs().objects.repair().ok
    assert dump(raw) == {}


def test_damage_within_partitions_is_found_and_repaired(sound, raw):
    one, other = (keys_of(raw, 'keys')[i] for i in (0, 1))
    index = keys_of(raw, 'idx:genre:g1')[2]
    pk = int(next(iter(raw.smembers(one))))
    raw.delete(one.removesuffix('keys') + f'data:{pk}')
    raw.set(keys_of(raw, 'next', 0)[3], '1')
    raw.sadd(index, 999_999)
    raw.expire(other.removesuffix('keys') + 'keys:sorted:year', 1000)
    raw.set(other.removesuffix('keys') + 'tmp:abc:keys', 'x')
    report = sound.objects.check()
    assert counts(report) == {
        'row_missing': 1,
        'entry_gone': 3,
        'counter_low': 1,
        'key_expiring': 1,
        'leftover': 1,
    }
    # The tag in each key says which partition it is.
    assert tag_of(one) in report.examples['row_missing'][0]
    assert tag_of(index) in ''.join(report.examples['entry_gone'])
    repaired = sound.objects.repair()
    assert repaired.counts == report.counts == repaired.repaired
    after = sound.objects.check()
    assert (after.ok, after.objects) == (True, 399)
    assert raw.ttl(other.removesuffix('keys') + 'keys:sorted:year') == -1


def test_a_pk_of_another_partition_is_told_and_stays(sound, raw):
    one, other = keys_of(raw, 'keys')[:2]
    pk = int(max(raw.smembers(other), key=int))
    row = raw.hgetall(other.removesuffix('keys') + f'data:{pk}')
    raw.hset(one.removesuffix('keys') + f'data:{pk}', mapping=row)
    raw.sadd(one, pk)
    before = raw.get(keys_of(raw, 'next', 0)[0])
    report = sound.objects.repair()
    assert report.counts['pk_elsewhere'] == 1
    assert report.examples['pk_elsewhere'] == [
        f'{one} lists {pk}, a pk of another partition; store the object anew'
    ]
    assert report.repaired == {'entry_missing': 2}
    assert raw.sismember(one, pk)
    assert raw.get(keys_of(raw, 'next', 0)[0]) == before
    assert counts(sound.objects.check()) == {'pk_elsewhere': 1}


def test_a_value_of_another_partition_is_told_and_stays(redis_params, raw):
    model = goods()
    model.saver.save([model(shop=f's{n % 5}', number=n) for n in range(30)])
    assert model.objects.check().ok
    rows = keys_of(raw, 'data:*', name='{shop}Goods')
    shops = {key: raw.hget(key, 'shop').decode() for key in rows}
    row = rows[0]
    elsewhere = next(s for key, s in shops.items() if tag_of(key) != tag_of(row))
    raw.hset(row, 'shop', elsewhere)
    report = model.objects.repair()
    assert report.counts['value_elsewhere'] == 1
    assert report.examples['value_elsewhere'] == [
        f"{row} stores '{elsewhere}' as shop, which belongs to another partition; "
        'store the object anew'
    ]
    assert 'value_elsewhere' not in report.repaired
    assert counts(model.objects.check()) == {'value_elsewhere': 1}
    assert raw.hget(row, 'shop').decode() == elsewhere


# -- pointer, fences, kept marks -------------------------------------------------------------


def test_a_partition_that_lost_its_data(sound, raw):
    lost = fences(raw)[1]
    for key in raw.scan_iter(f'_ir_|{{{tag_of(lost)}}}*', count=1000):
        raw.delete(key)
    stray = keys_of(raw, 'keys')[0].replace(':keys:1:', ':keys:9:')
    raw.sadd(stray, 1)
    before = dump(raw)
    report = sound.objects.check()
    kept = lost.replace(':keys:0:', ':keys:1:')
    assert report.counts == {'partition_lost': 1, 'fence_missing': 1, 'edition_left': 1}
    assert report.examples['partition_lost'] == [
        f'{kept} is absent: the partition has lost its data; load the data set again'
    ]
    assert 0 < report.objects < 400
    repaired = sound.objects.repair()
    assert (repaired.counts, repaired.repaired) == (report.counts, {})
    assert dump(raw) == before  # what other editions left may be all that there is
    with pytest.raises(PartitionLostError):
        sound.objects.info()


def test_a_fence_that_is_gone_is_set_where_the_data_is_there(sound, raw):
    one, other, *_ = fences(raw)
    raw.delete(one)
    raw.set(other, 'junk')
    report = sound.objects.check()
    assert report.counts == {'fence_missing': 2}
    assert report.objects == 400
    repaired = sound.objects.repair()
    assert repaired.repaired == report.counts == repaired.counts
    assert raw.get(one) == raw.get(other) == b'1 %d' % COUNT
    assert sound.objects.check().ok
    fill(sound)


def test_fences_of_dead_resets(sound, raw):
    behind, prepared, *_ = fences(raw)
    raw.set(behind, f'0 {COUNT}')
    raw.set(prepared, f'1 {COUNT}>2 {COUNT} abc')
    report = sound.objects.check()
    assert report.counts == {'fence_behind': 1, 'fence_prepared': 1}
    assert f"{behind} holds '0 {COUNT}', and the true edition is 1" in str(report)
    assert sound.objects.repair().repaired == report.counts
    assert {raw.get(fence) for fence in fences(raw)} == {b'1 %d' % COUNT}


def test_a_living_reset_is_no_damage(sound, raw):
    staged = keys_of(raw, 'keys')[0].replace(':keys:1:', ':keys:2:')
    raw.set(LOCK, 'abc', px=60_000)
    raw.hset(RECORD, '2', f'staged {COUNT}')
    raw.sadd(staged, 1)
    raw.set(fences(raw)[0], f'1 {COUNT}>2 {COUNT} abc')
    before = dump(raw)
    assert sound.objects.check().ok
    assert dump(raw) == before


def test_a_pointer_that_lags_behind_is_set_forward(sound, raw):
    # What a home node leaves that was replaced by one without the last write.
    for fence in fences(raw):
        raw.set(fence, f'2 {COUNT}')
        raw.set(fence.replace(':keys:0:', ':keys:2:'), '1')
    report = sound.objects.check()
    assert report.counts == {'fence_ahead': COUNT}
    repaired = sound.objects.repair()
    assert repaired.repaired['fence_ahead'] == COUNT
    assert raw.get(POINTER) == b'2 %d' % COUNT
    assert sound.objects.check().objects == 0


def test_a_pointer_that_is_gone(sound, raw):
    raw.delete(POINTER)
    report = sound.objects.check()
    assert report.counts == {'pointer_missing': 1}
    assert report.objects == 400
    assert not raw.exists(POINTER)
    assert sound.objects.repair().repaired == {'pointer_missing': 1}
    assert raw.get(POINTER) == b'1 %d' % COUNT
    assert sound.objects.check().ok


@pytest.mark.parametrize('junk', ['text that names no edition', 'hash'])
def test_a_pointer_that_holds_something_else(sound, raw, junk):
    raw.delete(POINTER)
    if junk == 'hash':
        raw.hset(POINTER, 'a', 'b')
    else:
        raw.set(POINTER, 'junk')
    before = dump(raw)
    for report in (sound.objects.check(), sound.objects.repair()):
        assert (report.counts, report.repaired, report.objects) == ({'wrong_type': 1}, {}, 0)
        assert report.examples['wrong_type'] == [
            f'{POINTER} holds a {junk}, which this library never stores there'
        ]
    assert dump(raw) == before


def test_objects_without_partitions_are_refused(redis_params):
    songs(PARTITIONS=0)(title='old').save()
    for method in ('check', 'repair', 'info'):
        with pytest.raises(UsageError, match='without PARTITIONS'):
            getattr(songs().objects, method)()


# -- keys of other editions ------------------------------------------------------------------


def test_keys_of_forgotten_editions_are_removed(sound, raw):
    one, other, *_ = keys_of(raw, 'keys')
    left = [one.replace(':keys:1:', ':keys:7:'), other.replace(':keys:1:', ':keys:7:')]
    left += [left[0].removesuffix('keys') + rest for rest in ('data:5', 'idx:genre:x', 'tmp:a:b')]
    # Of a time when there were more partitions; of one that is to be dropped; of another model.
    left.append(f'_ir_|{{6.2}}:keys:3:{NAME}:keys')
    kept = [one.replace(':keys:1:', ':keys:8:'), f'_ir_|{{6.2}}:keys:3:{NAME}x:keys']
    kept.append(f'_ir_|{{6.2}}:keys:0:{NAME}:next')
    expiring = one.replace(':keys:1:', ':keys:6:')
    for key in (*left, *kept, expiring):
        raw.set(key, 'x')
    raw.pexpire(expiring, 60_000)
    raw.hset(RECORD, '8', f'staged {COUNT}')
    raw.set(LOCK, 'abc', px=60_000)
    report = sound.objects.check()
    assert counts(report) == {'edition_left': len(left)}
    assert f'{left[0]} is of edition 7, which is not true, and no reset is to drop it' in str(
        report
    )
    assert all(raw.exists(key) for key in left)
    raw.delete(LOCK)
    raw.delete(RECORD)
    raw.delete(kept.pop(0))
    assert sound.objects.repair().repaired == report.counts
    assert not any(raw.exists(key) for key in left)
    assert all(raw.exists(key) for key in (*kept, expiring))
    assert not raw.exists(LOCK)
    assert sound.objects.check().ok


@pytest.mark.parametrize('state', ['staged', 'old'])
def test_what_dead_resets_left(sound, raw, state):
    """Of an edition that was being staged, or was to be dropped, when its process died."""
    one = keys_of(raw, 'keys')[0].replace(':keys:1:', ':keys:7:')
    start = one.removesuffix('keys')
    raw.hset(RECORD, '7', f'{state} {COUNT}')
    raw.sadd(one, 4)
    raw.hset(f'{start}data:4', 'genre', 'x')
    raw.sadd(f'{start}idx:genre:x', 4)
    report = sound.objects.check()
    assert report.counts == {'leftover': 1}
    assert report.examples['leftover'] == [f'{RECORD} is what a dead reset left: 7']
    assert raw.hget(RECORD, '7')
    assert sound.objects.repair().repaired == report.counts
    assert not raw.hexists(RECORD, '7')
    assert {raw.ttl(key) > 0 for key in keys_of(raw, '*', 7)} <= {True}
    assert sound.objects.check().ok


def test_real_resets_leave_nothing_to_find(sound):
    sound.reset([sound(title=str(n), genre='new', year=n) for n in range(50)])
    report = sound.objects.check()
    assert (report.ok, report.objects, report.entries) == (True, 50, 100), str(report)
    assert sound.objects.repair().ok
    sound.deleter.destroyModel()
    report = sound.objects.check()
    assert (report.ok, report.objects) == (True, 0), str(report)


def test_many_keys_of_forgotten_editions(sound, raw, monkeypatch):
    monkeypatch.setattr(partitioned, 'COLLECTED', 20)
    monkeypatch.setattr(partitioned, 'REMOVED', 7)
    one = keys_of(raw, 'keys')[0].replace(':keys:1:', ':keys:7:')
    raw.set(one, 'x')
    for n in range(1, 900):
        raw.set(one.removesuffix('keys') + f'data:{n}', 'x')
    report = sound.objects.repair()
    assert report.counts == report.repaired == {'edition_left': 900}
    assert keys_of(raw, '*', 7) == []


# -- resets meanwhile ------------------------------------------------------------------------


@pytest.fixture
def flips(raw, monkeypatch):
    """`flips(times)`: have another edition go live while partitions are examined."""

    def begin(times):
        examine = partitioned.examine_marks

        def examining(schema):
            marks = yield from examine(schema)
            nonlocal times
            if times:
                times -= 1
                flip(raw, marks.edition.number)
            return marks

        monkeypatch.setattr(partitioned, 'examine_marks', examining)

    return begin


def flip(raw, edition):
    after = edition + 1
    raw.set(POINTER, f'{after} {COUNT}')
    for fence in fences(raw):
        raw.set(fence, f'{after} {COUNT}')
        raw.set(fence.replace(':keys:0:', f':keys:{after}:'), '1')
        raw.delete(fence.replace(':keys:0:', f':keys:{edition}:'))
    for key in keys_of(raw, '*', edition):
        raw.pexpire(key, 60_000)


@pytest.mark.parametrize('method', ['check', 'repair'])
def test_a_reset_that_goes_live_meanwhile(sound, raw, flips, method):
    flips(2)
    report = getattr(sound.objects, method)()
    assert (report.ok, report.objects, report.counts) == (True, 0, {})
    assert raw.get(POINTER) == b'3 %d' % COUNT


def test_a_repair_waits_for_a_flip_that_is_about_to_be_committed(sound, raw, monkeypatch):
    marks, rounds = partitioned.examine_marks, iter('prepare')

    def examining(schema):
        found = yield from marks(schema)
        if next(rounds, '') == 'p':  # after the look at the marks
            raw.set(LOCK, 'abc', px=300)
            raw.set(fences(raw)[0], f'1 {COUNT}>2 {COUNT} abc')
        return found

    monkeypatch.setattr(partitioned, 'examine_marks', examining)
    report = sound.objects.repair()
    assert (report.ok, report.objects) == (True, 400), str(report)
    assert raw.get(fences(raw)[0]) == b'1 %d' % COUNT  # it was given up


def test_resets_without_end(sound, flips):
    flips(1000)
    with pytest.raises(ConflictError, match='20 resets went live'):
        sound.objects.check()
