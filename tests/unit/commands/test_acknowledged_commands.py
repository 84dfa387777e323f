"""What a write sends so that replicas confirm it, without a server."""

from __future__ import annotations

import pytest

from IndexedRedis import IndexedRedisModel, IRField, NotAcknowledgedError
from IndexedRedis._core.writes.acknowledging import acknowledge, wait_commands
from IndexedRedis.executors.recording import RecordingExecutor


def schema(name, by):
    body = {'FIELDS': [IRField('name')], 'KEY_NAME': name, 'ACKNOWLEDGED_BY': by}
    return type(IndexedRedisModel)(name, (IndexedRedisModel,), body)._validated()


A0, B1, C2 = schema('A', 0), schema('B', 1), schema('C', 2)
MARKER = ('SET', b'_ir_|B:tmp:marker', b'', 'EX', 60)


@pytest.mark.parametrize(
    ('schemas', 'commands'),
    [
        ([A0], []),
        ([B1], [MARKER, ('WAIT', 1, 1000)]),
        ([B1, C2], [MARKER, ('WAIT', 2, 1000)]),
    ],
    ids=['none', 'one', 'the highest number'],
)
def test_the_commands_of_a_wait(schemas, commands):
    assert wait_commands(schemas) == commands
    executor = RecordingExecutor([[b'OK', 2]])
    executor.run(acknowledge(schemas))
    assert executor.trips == ([commands] if commands else [])


def test_a_marker_is_in_the_slot_of_each_model():
    """Models that are written together are in one slot, so that of any of them will do."""
    assert wait_commands([C2, A0])[0][1] == b'_ir_|A:tmp:marker'


@pytest.mark.parametrize('confirmed', [0, 1])
def test_too_few_replicas(confirmed):
    with pytest.raises(NotAcknowledgedError, match=f'^B, C: {confirmed} of 2 replicas'):
        RecordingExecutor([[b'OK', confirmed]]).run(acknowledge([C2, B1]))


def test_a_change_of_the_attribute_counts_at_once():
    model = schema('D', 0).cls
    model.ACKNOWLEDGED_BY = 3
    assert wait_commands([model._validated()])[-1] == ('WAIT', 3, 1000)
