"""A cascading save whose answers get lost. The rule: whichever answer it is, and whoever tries
again, each object is stored exactly once, with the links it should have."""

from __future__ import annotations

import itertools

import pytest
from redis.exceptions import ConnectionError, TimeoutError

from IndexedRedis.executors import aio, sync


class Loss:
    """Loses one answer: the server has done its part, and the caller gets an error."""

    def __init__(self):
        self.after, self.error = 0, ConnectionError

    def count(self, replies):
        self.after -= 1
        if self.after == 0:
            raise self.error('lost')
        return replies


@pytest.fixture(params=[ConnectionError, TimeoutError])
def loss(request, monkeypatch):
    """After `loss.after = n` the n-th answer gets lost."""
    loss = Loss()
    loss.error = request.param
    read, read_async = sync.Line.read, aio.Line.read

    async def losing_async(line, count):
        return loss.count(await read_async(line, count))

    monkeypatch.setattr(sync.Line, 'read', lambda line, count: loss.count(read(line, count)))
    monkeypatch.setattr(aio.Line, 'read', losing_async)
    return loss


def until_done(loss, save):
    """Save, again where that raised. Returns whether an answer was lost."""
    try:
        save()
    except (ConnectionError, TimeoutError):
        save()
    lost = loss.after <= 0
    loss.after = 0
    return lost


@pytest.mark.plain_model
def test_a_family_is_stored_once(authors, books, raw, loss, check):
    for step in itertools.count(1):
        raw.flushdb()
        ann = authors(name='Ann')
        one = books(title='one', author=ann)
        two = books(title='two', author=ann, similar=[one])
        ann.favourite = two
        loss.after = step
        lost = until_done(loss, two.save)
        check()
        assert not two.hasUnsavedChanges(cascadeObjects=True)
        assert (authors.objects.count(), books.objects.count()) == (1, 2)
        again = books.objects.get(two._id, cascadeFetch=True)
        assert (again.author.name, again.similar[0].title) == ('Ann', 'one')
        assert again.author.favourite is again
        if not lost:
            break
    assert step > 3


def test_handles_of_one_record_and_a_new_object(shelf, authors, loss, check):
    for step in itertools.count(1):
        one, two = shelf.objects.getMultiple([1, 2])
        one.author.born, two.author.name = step, f'Ann {step}'
        new = shelf(title=f'new {step}', similar=[one, two], author=two.author)
        loss.after = step
        lost = until_done(loss, lambda new=new: shelf.saver.save(new))
        check()
        ann = authors.objects.get(1)
        assert (ann.name, ann.born) == (f'Ann {step}', step)
        assert shelf.objects.filter(title=f'new {step}').getPrimaryKeys() == [new._id]
        assert shelf.objects.get(new._id).similar__id == [1, 2]
        assert not new.hasUnsavedChanges(cascadeObjects=True)
        if not lost:
            break
    assert step > 2
