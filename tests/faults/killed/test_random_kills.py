"""A process that writes in all ways is killed -9 at any moment. The rule: others find whole batches
only, and after the next operation nothing is left for ever."""

from __future__ import annotations

import random
import time
from collections import Counter

from faults.item import contents
from faults.writers.single_jobs import WAYS, what_is_torn
from faults.writers.workers import Worker, wait_until

KILLS, OF_EACH = 60, 3


def test_sixty_random_kills(item, boxes, redis_params, raw, stored, figures):
    killed: Counter[str] = Counter()
    with Worker({**redis_params, 'client_name': 'victim'}) as worker:
        while killed.total() < KILLS or min(killed[way] for way in WAYS) < OF_EACH:
            assert killed.total() < 10 * KILLS, f'not every way was hit: {killed}'
            stored.empty()  # of the many rows in their grace time too
            worker.start('write_all_ways', first=20_000 * (1 + killed.total()))
            wait_until(lambda: raw.exists('doing'))
            time.sleep(random.uniform(0, 0.08))
            worker.signal()
            assert worker.result() is None, 'it was not killed'
            # Until then the server may still be at its last command.
            wait_until(lambda: all(client['name'] != 'victim' for client in raw.client_list()))
            doing = raw.get('doing').decode()
            killed[doing.rpartition(' ')[0]] += 1
            assert what_is_torn(doing) == [], doing
            stored.check(pending=True)
            stored.end_lock()
            item.reset([item(name='1', n=0, edition=3)])
            assert contents(item) == [('1', 0, 3)]
            stored.check()
            assert stored.kept_work_keys() == []
    figures(f'{killed.total()} random kills', **killed, torn=0, keys_left=0)
