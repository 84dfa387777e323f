"""Where the keys of partitions are: even over any number of nodes, the same in every process, and
apart from the keys of all other models."""

from __future__ import annotations

from collections import Counter

import pytest
from redis.crc import key_slot

from IndexedRedis._core.keys import RESERVED_SEGMENTS, Keys, model_and_kind
from IndexedRedis._core.partitions.editions.fence import Edition, Fence
from IndexedRedis._core.partitions.layout import SLOTS, Shard, ShardKeys, tags
from unit.build import define

TAGS_OF_6 = (b'6.2', b'6.29', b'6.43', b'6.0', b'6.30', b'6.41')
COUNTS = [2, 3, 5, 6, 7, 12, 48, 100, 255, 256, 1000, 1023, 1024]


def node_of(slot, nodes):
    """The node of a slot, where each has as many slots as the others, give or take one."""
    return slot * nodes // SLOTS


def slots(count):
    return [key_slot(b'{%b}' % tag) for tag in tags(count)]


@pytest.mark.parametrize('count', COUNTS)
def test_each_node_has_its_share_of_the_partitions(count):
    for nodes in range(1, 25):
        shares = Counter(node_of(slot, nodes) for slot in slots(count))
        least, most = count // nodes, -(-count // nodes)
        assert {shares[node] for node in range(nodes)} <= {*range(max(least - 1, 0), most + 2)}


@pytest.mark.parametrize('count', [48, 1024])
def test_where_partitions_are_a_multiple_of_nodes_shares_are_equal(count):
    for nodes in (1, 2, 3, 4, 6, 8, 12, 16, 24):
        if count % nodes == 0:
            shares = Counter(node_of(slot, nodes) for slot in slots(count))
            assert {*shares.values()} == {count // nodes}


@pytest.mark.parametrize('count', COUNTS)
def test_slots_grow_with_the_number_and_keep_their_distance(count):
    """Also where the slots of a node begin a little earlier or later than an even split has it."""
    found = slots(count)
    assert len({*tags(count)}) == count
    band = SLOTS / count
    for number, slot in enumerate(found):
        assert (number + 0.25) * band - 1 <= slot <= (number + 0.75) * band + 1


def test_tags_are_the_same_in_every_process():
    """They are part of the stored data: a change of them loses all partitions."""
    assert tags(2) == (b'2.3', b'2.1')
    assert tags(6) == TAGS_OF_6
    assert tags(48)[:3] + tags(48)[-1:] == (b'48.110', b'48.467', b'48.107', b'48.140')
    tags.cache_clear()
    assert tags(6) == TAGS_OF_6


def test_partitions_of_other_counts_have_other_tags():
    """So no two of them share a counter, or a fence."""
    every = [tag for count in COUNTS for tag in tags(count)]
    assert len({*every}) == len(every)


def every_key(keys):
    return [
        *(keys.next, keys.all, keys.edition, keys.fence, keys.lock, keys.record, keys.swapped),
        *(keys.touched, keys.incarnations, keys.marker, keys.data(7), keys.index(b'f', b'a}{b')),
        *(keys.sorted(b'f'), keys.work(b't', b'sets'), keys.staged(b't', keys.all)),
    ]


@pytest.mark.parametrize('name', ['Song', '{t}Song', 'Song:Album', 'S\xe4nger'])
def test_all_keys_of_a_partition_are_in_its_slot(name):
    for number, slot in enumerate(slots(6)):
        for edition in (1, 12):
            keys = ShardKeys(name, number, 6, edition)
            assert {key_slot(key) for key in every_key(keys)} == {slot}


def test_what_editions_share_and_what_they_do_not():
    first, second = (ShardKeys('Song', 1, 6, edition) for edition in (1, 2))
    assert first.fence == second.fence == b'_ir_|{6.29}:keys:0:Song:keys:edition'
    assert first.next == second.next == b'_ir_|{6.29}:keys:0:Song:next'
    assert first.incarnations == second.incarnations == b'_ir_|{6.29}:keys:0:Song:tmp:incarnations'
    assert (first.stride, first.offset) == (6, 1)
    assert first.edition == b'_ir_|{6.29}:keys:1:Song:keys:edition'
    assert first.data(7) == b'_ir_|{6.29}:keys:1:Song:data:7'
    shared = {first.fence, first.next, first.incarnations, first.marker}
    assert {*every_key(first)} & {*every_key(second)} == shared


def test_no_model_has_keys_in_a_partition():
    """A name that could lead there holds a reserved segment, which no KEY_NAME may."""
    for key in every_key(ShardKeys('Song', 0, 6, 1)):
        name = key.removeprefix(b'_ir_|').decode()
        for end in range(1, len(name)):
            if name[end] == ':' and ':keys:' in name[:end] + ':':
                assert any(segment in name[: end + 1] for segment in RESERVED_SEGMENTS)
                break


def test_a_shard_shares_all_but_keys_with_its_model():
    model = define('name', 'year', indexed=['name'], SORTED_FIELDS=['year'], PARTITIONS=6)
    schema = model._validated()
    shard = Shard(schema, 2, 6, 3)
    assert shard.columns is schema.columns and shard.name == schema.name
    assert shard.encoder is schema.encoder
    assert (shard.home, shard.number, shard.edition, shard.partitions) == (schema, 2, 3, 0)
    assert shard.open == b'3 6'
    assert shard.sorted_keys == (b'_ir_|{6.43}:keys:3:Song:keys:sorted:year',)
    assert schema.partitions == 6
    assert schema.keys.edition == b'_ir_|Song:keys:edition'


@pytest.mark.parametrize(
    'fence',
    [
        Fence(Edition(1, 2)),
        Fence(Edition(999_999_999_999_999, 1024)),
        Fence(Edition(7, 48), Edition(8, 6), b'0123abcdef'),
    ],
)
def test_fences_are_read_as_they_were_written(fence):
    assert Fence.of(fence.text()) == fence
    assert Edition(7, 48).text() == Fence(Edition(7, 48)).text() == b'7 48'


@pytest.mark.parametrize(
    'junk',
    [
        *(
            None,
            b'',
            b'7',
            b'7 ',
            b' 7 48',
            b'7 48 ',
            b'7 48\n',
            b'-1 48',
            b'7 -48',
            b'x 48',
            b'7,48',
        ),
        *(b'7 48>', b'7 48>8', b'7 48>8 6', b'7 48>8 6 ', b'7 48>8 6 a b', b'7 48>8 6 a>9 6 b'),
        *(b'7  48', b'7 12345', b'1234567890123456 6', b'\xff 6', '٧ 6'.encode()),
    ],
)
def test_what_the_library_did_not_write_is_no_fence(junk):
    assert Fence.of(junk) is None


def test_the_keys_of_a_plain_model_tell_no_stride():
    assert (Keys('Song').stride, Keys('Song').offset) == (1, 0)
    assert [*ShardKeys('Song', 2, 6, 1).pks(8, 3)] == [8, 14, 20]
    assert model_and_kind(Keys('Song').data(3)) == ('Song', 'data', b'3')
