"""Remembered answers beside writers. The rule: what this process has stored is seen by all that it
reads afterwards, over any connection; what others store, as soon as word of it can be here."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
import redis

from faults.item import edition, over
from faults.writers.workers import together
from IndexedRedis.executors.recording import recordTrips

READERS = 6
STEPS = 400


@pytest.fixture
def remembering(telling_server, item, monkeypatch):
    monkeypatch.setattr(item, 'CLIENT_SIDE_CACHE', 50)
    return item


def editions(model):
    """The edition of the first object, read in two ways."""
    one, many = model.objects.get(1), model.objects.filter(n=0).all()
    return one.edition, many[0].edition


def test_threads_see_what_their_process_has_stored(remembering, figures):
    remembering.reset(edition(remembering, 0, 7, range(1, 8)))
    ended, done = threading.Event(), [0]

    def write():
        obj = remembering.objects.get(1)
        for number in range(1, STEPS + 1):
            obj.edition = number
            obj.save()
            done[0] = number
        ended.set()

    def read(_):
        late = reads = 0
        while not ended.is_set() or not reads:
            least = done[0]
            late += min(editions(remembering)) < least
            reads += 2
        return late, reads

    with ThreadPoolExecutor(READERS + 1) as pool:
        writer = pool.submit(write)
        found = [*pool.map(read, range(READERS))]
        writer.result()
    late, reads = map(sum, zip(*found, strict=True))
    figures('threads that remember', reads=reads, writes=STEPS, late=late)
    assert late == 0
    assert editions(remembering) == (STEPS, STEPS)


def test_they_settle_on_what_others_have_stored(remembering, four_workers):
    remembering.reset(edition(remembering, 1, 60, range(1, 61)))
    jobs = [('reset_often', {'size': 60})] * 2 + [('read', {'size': 60})] * 2
    counts = together(four_workers, *jobs, enough={'resets': 20})
    assert counts['resets'] >= 20
    time.sleep(0.1)
    plain = over({'client_name': 'asks'})
    plain.CLIENT_SIDE_CACHE = 0
    for model in (remembering, plain):
        assert len({obj.edition for obj in model.objects.all()}) == 1
    assert of_the_third(remembering) == of_the_third(plain)


def of_the_third(model):
    return {(obj._id, obj.edition) for obj in model.objects.filter(n=3).all()}


def test_a_frozen_network_is_not_believed_for_longer_than_a_second(remembering, new_server):
    """A server that has stopped answering, without closing the connection, tells nothing."""
    server = new_server()
    model = over({**server.params, 'socket_timeout': 0.5})
    model.CLIENT_SIDE_CACHE = 50
    model.reset(edition(model, 1, 7, range(1, 8)))
    model.objects.get(1), model.objects.get(1)
    with recordTrips() as trips:
        model.objects.get(1)
    assert trips == []
    server.freeze()
    time.sleep(1.1)
    with pytest.raises(redis.TimeoutError):
        model.objects.get(1)
    server.resume()
    assert model.objects.get(1).edition == 1
