"""Which edition a read answers from, and a write goes to, while flips come in between. The rule:
the test plays the server, so each moment is exact."""

from __future__ import annotations

import itertools

import pytest

from IndexedRedis import ConflictError, ResetInProgressError
from IndexedRedis._core.flows import ask
from IndexedRedis._core.partitions.asking import ATTEMPTS, read_shards, write_shards
from IndexedRedis._core.partitions.editions import settling
from IndexedRedis._core.partitions.editions.fence import Edition
from IndexedRedis._core.partitions.editions.known import known, learn
from IndexedRedis._core.partitions.reading import read_one
from IndexedRedis.errors import PartitionLostError
from unit.build import define
from unit.partitions.played import LOCK, POINTER, PUT, Played, fence_of, mark_of

# One trip that reads three partitions and the pointer.
READ = ['GET', *['READ', 'MGET'] * 3]
LEARN = ['GET', 'HGET', 'EXISTS']
SETTLE = ['GET', 'GET', 'HGET']


@pytest.fixture
def schema():
    return define('name', PARTITIONS=3)._validated()


def base(number, edition, count=3):
    """The beginning of the keys of a partition: what a flow of the test reads, and writes to."""
    return mark_of(number, edition, count).removesuffix(b'keys:edition')


def read(schema, played):
    """Read all partitions; return the edition of each answer."""
    return played.run(read_shards(schema, lambda shard: ask('READ', shard.keys.base)))


def whole(edition, count=3):
    return [base(number, edition, count) for number in range(count)]


def write(schema, played, numbers=range(3)):
    """Write to some partitions; return where, by partition."""

    def make(edition):
        return dict.fromkeys(numbers, lambda shard: ask(*PUT([shard.keys.base])))

    outcomes = played.run(write_shards(schema, make))
    return {number: outcome.result for number, outcome in outcomes.items()}


def test_the_first_read_of_a_process_asks_for_the_pointer(schema):
    played = Played(7)
    assert read(schema, played) == whole(7)
    assert played.trips == [LEARN, READ]
    assert known(schema) == Edition(7, 3)


def test_later_reads_are_one_trip(schema):
    learn(schema, Edition(7, 3))
    played = Played(7)
    assert read(schema, played) == whole(7)
    assert played.trips == [READ]


def test_of_a_model_that_was_never_written_a_read_writes_nothing(schema):
    played = Played(None)
    assert read(schema, played) == whole(1)
    assert played.trips == [LEARN, READ]
    assert played.data == {}
    assert known(schema) is None


def test_a_flip_since_the_last_read(schema):
    learn(schema, Edition(1, 3))
    played = Played(1)
    played.flip(2)
    assert read(schema, played) == whole(2)
    assert played.trips == [READ, ['GET'] * 3, SETTLE, READ]
    played.trips.clear()
    assert read(schema, played) == whole(2)
    assert played.trips == [READ]


def test_a_flip_since_the_last_read_whose_fences_do_not_tell_yet(schema):
    learn(schema, Edition(1, 3))
    played = Played(1)
    played.stage(2)
    played.prepare(b'1 3>2 3 t')
    played.data[POINTER] = b'2 3'
    assert read(schema, played) == whole(2)
    assert played.data[fence_of(0)] == b'1 3>2 3 t'  # readers do not care
    assert READ in played.trips and len(played.trips) <= 4


def test_a_flip_to_another_number_of_partitions(schema):
    learn(schema, Edition(1, 3))
    played = Played(1)
    played.flip(2, 5)
    assert read(schema, played) == whole(2, 5)
    played.flip(3, 2)
    assert read(schema, played) == whole(3, 2)
    (found,) = {played.run(read_one(schema, 7, lambda shard: ask('READ', shard.keys.base)))}
    assert found == base(1, 3, 2)


def test_a_flip_between_two_trips_of_a_flow(schema):
    """The first trip was of one edition, the second is of another: both are asked again."""
    learn(schema, Edition(1, 3))
    played = Played(1)

    def twice(shard):
        first = yield from ask('READ', shard.keys.base)
        return first, (yield from ask('READ', shard.keys.base))

    def retired():
        played.flip(2)
        for number in range(3):
            del played.data[mark_of(number, 1)]

    played.events[1] = retired
    found = played.run(read_shards(schema, twice))
    assert found == [(each, each) for each in whole(2)]


def test_between_two_trips_an_edition_that_is_kept_will_do(schema):
    learn(schema, Edition(1, 3))
    played = Played(1)

    def twice(shard):
        yield from ask('READ', shard.keys.base)
        return (yield from ask('READ', shard.keys.base))

    played.events[1] = lambda: played.stage(2) or played.data.update({POINTER: b'2 3'})
    assert played.run(read_shards(schema, twice)) == whole(1)


def test_a_fence_ahead_of_the_pointer_sets_it_forward(schema):
    """A failover of the home slot lost the commit; a partition has applied it."""
    learn(schema, Edition(1, 3))
    played = Played(1)
    played.stage(2)
    played.data[fence_of(2)] = b'2 3'
    assert read(schema, played) == whole(2)
    assert played.data[POINTER] == b'2 3'
    assert known(schema) == Edition(2, 3)
    assert write(schema, played) == dict(enumerate(whole(2)))
    assert {played.data[fence_of(number)] for number in range(3)} == {b'2 3'}


def test_reads_do_not_wait_for_a_flip_that_is_prepared(schema):
    learn(schema, Edition(1, 3))
    played = Played(1)
    played.stage(2)
    played.prepare(b'1 3>2 3 t')
    assert read(schema, played) == whole(1)
    assert played.trips == [READ]


def test_a_partition_without_the_edition_is_told_by_name(schema):
    learn(schema, Edition(1, 3))
    played = Played(1)
    del played.data[mark_of(1, 1)]
    with pytest.raises(PartitionLostError, match=r'Song: partition 1 of 3 \(keys with \{3\.1\}\)'):
        read(schema, played)
    one = played.run(read_one(schema, 5, lambda shard: ask('READ', shard.keys.base)))
    assert one == base(2, 1)
    with pytest.raises(PartitionLostError, match='partition 1 of 3'):
        played.run(read_one(schema, 4, lambda shard: ask('READ', shard.keys.base)))


def test_a_partition_without_all_its_keys_is_told_by_name(schema):
    learn(schema, Edition(1, 3))
    played = Played(1)
    del played.data[mark_of(1, 1)], played.data[fence_of(1)]
    with pytest.raises(PartitionLostError, match='partition 1 of 3'):
        read(schema, played)
    with pytest.raises(PartitionLostError, match='partition 1 of 3'):
        write(schema, played)


def test_a_pointer_that_is_gone_is_set_from_the_fences(schema):
    learn(schema, Edition(4, 3))
    played = Played(4)
    del played.data[POINTER]
    assert read(schema, played) == whole(4)
    assert played.data[POINTER] == b'4 3'


def test_a_pointer_that_is_gone_is_set_by_a_process_that_knows_no_edition(schema):
    played = Played(4)
    del played.data[POINTER]
    assert read(schema, played) == whole(4)
    assert played.data[POINTER] == b'4 3'


def test_a_database_that_was_emptied_meanwhile(schema):
    learn(schema, Edition(4, 3))
    played = Played(None)
    assert read(schema, played) == whole(4)  # of which nothing is there, too
    assert played.data == {}
    assert write(schema, played) == dict(enumerate(whole(1)))
    assert played.data[POINTER] == b'1 3'
    assert {played.data[fence_of(number)] for number in range(3)} == {b'1 3'}


def test_flips_without_end(schema):
    learn(schema, Edition(1, 3))
    played = Played(1)
    editions = itertools.count(2)

    class Events(dict):
        def pop(self, trip, default):
            return lambda: played.flip(next(editions))

    played.events = Events()
    with pytest.raises(ConflictError, match=f'Song: {ATTEMPTS} resets went live'):
        read(schema, played)
    with pytest.raises(ConflictError, match=f'Song: {ATTEMPTS} resets went live'):
        write(schema, played)


def test_the_first_write_opens_all_partitions_and_sets_the_pointer_last(schema):
    played = Played(None)
    assert write(schema, played, [1]) == {1: base(1, 1)}
    assert played.trips == [
        LEARN,
        ['GET'] * 3,
        ['open_partition'] * 3,
        ['note_by', 'advance'],
        ['advance'] * 3,
        ['put_fenced', 'GET'],
    ]
    complete = Played(1)
    assert played.data == complete.data


def test_a_write_after_a_flip_goes_to_the_new_edition(schema):
    learn(schema, Edition(1, 3))
    played = Played(1)
    played.flip(2)
    assert write(schema, played) == dict(enumerate(whole(2)))


def test_a_write_that_some_partitions_refused_is_repeated_there_only(schema):
    learn(schema, Edition(1, 3))
    played = Played(1)
    played.stage(2)
    played.data.update({POINTER: b'2 3', fence_of(2): b'2 3'})
    found = write(schema, played)
    assert found == {0: base(0, 1), 1: base(1, 1), 2: base(2, 2)}
    assert played.trips[-1] == ['put_fenced', 'GET']


def test_a_list_that_is_half_written_when_the_partitions_change_is_refused(schema):
    learn(schema, Edition(1, 3))
    played = Played(1)
    played.stage(2, 5)
    played.data.update({POINTER: b'2 5', fence_of(2): b'2 5'})
    with pytest.raises(ConflictError, match='number of partitions was changed'):
        write(schema, played)


def test_a_write_waits_for_a_flip_that_is_prepared(schema):
    learn(schema, Edition(1, 3))
    played = Played(1)
    played.stage(2)
    played.data[LOCK] = b't'
    played.prepare(b'1 3>2 3 t')
    played.events[5] = lambda: played.flip(2)
    assert write(schema, played) == dict(enumerate(whole(2)))
    assert settling.PAUSE_SECONDS in played.trips


def test_a_write_does_not_wait_for_ever(schema, monkeypatch):
    monkeypatch.setattr(settling, 'WAIT_SECONDS', 3 * settling.PAUSE_SECONDS)
    learn(schema, Edition(1, 3))
    played = Played(1)
    played.data[LOCK] = b't'
    played.prepare(b'1 3>2 3 t')
    with pytest.raises(ResetInProgressError, match='Nothing was written'):
        write(schema, played)
    assert played.trips.count(settling.PAUSE_SECONDS) == 3


@pytest.mark.parametrize('lock', [None, b'other'])
def test_a_flip_whose_owner_lost_its_lock_is_given_up(schema, lock):
    learn(schema, Edition(1, 3))
    played = Played(1)
    played.stage(2)
    played.prepare(b'1 3>2 3 t')
    if lock:
        played.data[LOCK] = lock
    assert write(schema, played) == dict(enumerate(whole(1)))
    assert {played.data[fence_of(number)] for number in range(3)} == {b'1 3'}
    assert settling.PAUSE_SECONDS not in played.trips


def test_a_flip_that_was_committed_is_applied_by_whoever_meets_it(schema):
    learn(schema, Edition(1, 3))
    played = Played(1)
    played.stage(2)
    played.prepare(b'1 3>2 3 t')
    played.data[POINTER] = b'2 3'
    assert write(schema, played, [1]) == {1: base(1, 2)}
    assert played.data[fence_of(1)] == b'2 3'


def test_a_late_writer_of_an_old_edition_changes_no_pointer(schema):
    played = Played(5)
    learn(schema, Edition(3, 3))
    assert write(schema, played) == dict(enumerate(whole(5)))
    assert played.data[POINTER] == b'5 3'
    assert {played.data[fence_of(number)] for number in range(3)} == {b'5 3'}


def test_a_pointer_that_names_no_edition_is_an_error(schema):
    learn(schema, Edition(1, 3))
    played = Played(1)
    played.data[POINTER] = b'junk'
    with pytest.raises(TypeError, match='text that names no edition'):
        read(schema, played)
