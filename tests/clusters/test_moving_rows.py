"""A row of a model has moved to another node, and the set that lists it has not. The rule: whoever
reads waits until all is there."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from redis.crc import key_slot

import IndexedRedis as IR
from IndexedRedis.executors import wire
from IndexedRedis.testing.group import until


class Song(IR.IndexedRedisModel):
    """A model in one slot."""

    FIELDS = [IR.IRField('title')]
    KEY_NAME = '{moving}Song'


def test_a_read(cluster, monkeypatch):
    model = Song.connectAlt(cluster.params)
    model.reset([model(title=str(number)) for number in range(20)])
    slot = key_slot(b'moving')
    source = cluster.primary_of(slot)
    target = next(node for node in cluster.primaries if node is not source)
    passing, real = [], wire.is_passing

    def noting(error):
        passing.append(error)
        return real(error)

    monkeypatch.setattr(wire, 'is_passing', noting)

    def step(name):
        if name == 'marked':
            source.call('MIGRATE', *target.address, '_ir_|{moving}Song:data:7', 0, 5000)
            answers.append(pool.submit(model.objects.all))
            until('the first answer', 5, lambda: passing)

    answers = []
    with ThreadPoolExecutor(1) as pool:
        cluster.migrate(slot, target, step)
        found = answers[0].result()
    cluster.migrate(slot, source)
    assert sorted(int(song.title) for song in found) == [*range(20)]
    IR.clearRedisPools()
