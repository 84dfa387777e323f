"""A primary freezes while it has a write to answer. The rule: the write ends at the node that takes
its place, stored exactly once."""

from __future__ import annotations

import contextlib

import pytest
from house.twins import only_asyncio
from judge.checker import check_model

import IndexedRedis as IR
from clusters.operations import Song
from IndexedRedis._core.bulk import save


@pytest.fixture(params=['threads', 'asyncio'])
def executor(request, monkeypatch):
    """Has the methods run by threads, or each awaited."""
    with only_asyncio(monkeypatch) if request.param == 'asyncio' else contextlib.nullcontext():
        yield


@pytest.mark.parametrize('count', [1, 3])
def test_new_objects_whose_answer_does_not_come_are_stored_once(
    executor, cluster, monkeypatch, count
):
    """Their script is not sent again, since it would find its own objects stored."""
    model = Song.connectAlt({**cluster.params, 'socket_timeout': 1.0})
    model(title='before').save()
    primary = cluster.primary_of(model.KEY_NAME)
    cluster.wait_ok()  # the replica has it
    name = 'insert_one' if count == 1 else '_insert_drafts'
    insert = getattr(save, name)

    def freeze_and_insert(drafts):
        monkeypatch.setattr(save, name, insert)
        cluster.pause(primary)
        return insert(drafts)

    monkeypatch.setattr(save, name, freeze_and_insert)
    objs = [model(title=f'title {n}') for n in range(count)]
    model.saver.save(objs)
    assert cluster.primary_of(model.KEY_NAME) is not primary
    cluster.resume(primary)
    cluster.wait_ok()
    expected = ['before', *(f'title {n}' for n in range(count))]
    assert sorted(obj.title for obj in model.objects.all()) == expected
    assert not any(obj.hasUnsavedChanges() for obj in objs)
    with cluster.primary_of(model.KEY_NAME).client() as client:
        assert check_model(client, model) == []
    IR.clearRedisPools()
