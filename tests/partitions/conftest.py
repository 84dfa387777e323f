"""What the tests of partitions share: an empty server, and a model with a first data set."""

from __future__ import annotations

import pytest

import IndexedRedis as IR
from IndexedRedis._core.writes import acknowledging
from partitions.rows import Row, data_set, process

LOCK = '_ir_|{proof}Row:tmp:lock'


@pytest.fixture
def begun(raw):
    """`begun()`: process 0 has reset the model to edition 1, on an empty server."""

    def begin(partitions=4):
        raw.flushall()
        model = process(0, partitions)
        model.reset(data_set(model, 1))
        return model

    return begin


@pytest.fixture
def expire(raw):
    """`expire()`: the lock of a reset expires, as it does ten seconds after its last step."""
    return lambda: raw.delete(LOCK)


@pytest.fixture
def place(cluster, monkeypatch):
    """The model on the cluster, with confirmed writes; `place()` begins anew."""
    monkeypatch.setattr(Row, 'ACKNOWLEDGED_BY', 1)
    monkeypatch.setattr(acknowledging, 'WAIT_MS', 300)

    def begin():
        cluster.heal()
        cluster.clear()
        IR.clearRedisPools()
        IR.setDefaultRedisConnectionParams(cluster.params)
        model = process(0)
        model.reset(data_set(model, 1))
        return model

    return begin
