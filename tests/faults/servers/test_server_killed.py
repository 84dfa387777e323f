"""The server is killed -9 in the middle of writes and comes back with its data. The rule: what was
acknowledged is there, and what raised is stored exactly once when it is saved again."""

from __future__ import annotations

import random
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

from judge.checker import check_model
from redis.exceptions import ConnectionError, TimeoutError

from faults.item import over
from faults.writers.workers import wait_until
from IndexedRedis.executors import exchange

KILLS, THREADS = 5, 4
RETRIED = 0.3  # seconds that the library tries by itself


class Writer:
    """Inserts, updates and saves lists, each again on the same objects until it worked."""

    def __init__(self, model, number):
        self.model, self.number = model, number
        self.expected: list[tuple[str, int]] = []
        self.counts: Counter[str] = Counter()

    def run(self, stop):
        """Write until told to stop."""
        while not stop.is_set():
            number = len(self.expected)
            name = f'{self.number} {number}'
            objs = [self.model(name=f'{name} {i}', n=0, edition=self.number) for i in range(3)]
            self._again(lambda objs=objs: self.model.saver.save(objs))
            one = self.model(name=f'{name} one', n=0, edition=self.number)
            self._again(one.save)
            one.n = number + 1
            self._again(one.save)
            self.expected += [*((obj.name, 0) for obj in objs), (one.name, number + 1)]

    def _again(self, save):
        while True:
            try:
                save()
            except (ConnectionError, TimeoutError):
                self.counts['raised'] += 1
                continue
            self.counts['saved'] += 1
            return


def total(writers, what):
    return sum(writer.counts[what] for writer in writers)


def kill_often(server, writers, futures):
    """Kill the server until writers have been told of it often enough; return how often."""
    kills = 0
    while kills < KILLS or total(writers, 'raised') < 15 or total(writers, 'saved') < 50:
        saved = total(writers, 'saved')
        # A busy machine takes a while to write something down.
        wait_until(lambda n=saved: total(writers, 'saved') > n or any(f.done() for f in futures))
        for future in futures:
            if future.done():
                future.result()  # what it raised
        time.sleep(random.uniform(0.05, 0.2))
        server.kill()
        kills += 1
        time.sleep(RETRIED + 0.1)
        server.start()
    return kills


def test_what_raised_is_saved_again_after_the_server_came_back(new_server, figures, monkeypatch):
    monkeypatch.setattr(exchange, 'RETRY_SECONDS', RETRIED)
    server = new_server(appendonly='yes', appendfsync='always')
    model, stop = over(server.params), threading.Event()
    writers = [Writer(model, number) for number in range(THREADS)]
    with ThreadPoolExecutor(THREADS) as threads:
        futures = [threads.submit(writer.run, stop) for writer in writers]
        try:
            kills = kill_often(server, writers, futures)
        finally:
            stop.set()
    for future in futures:
        future.result()
    stored = Counter((obj.name, obj.n) for obj in model.objects.all())
    expected = Counter(each for writer in writers for each in writer.expected)
    counts = sum((writer.counts for writer in writers), Counter())
    lost, twice = (expected - stored).total(), (stored - expected).total()
    figures('server killed and restarted', kills=kills, **counts, lost=lost, twice=twice)
    assert (lost, twice) == (0, 0)
    with server.client() as client:
        assert check_model(client, model) == []
