"""A copy of a table that only re-reads what the log names equals the table, in each snapshot."""

from __future__ import annotations

import contextlib
import random
import threading

from selection.choosing import examples
from sqlalchemy.exc import DBAPIError

ARTIST = 'public.artist'
WRITERS = 3
CHANGES = [
    'INSERT INTO artist SELECT {a}, {b} ON CONFLICT DO NOTHING',
    'UPDATE artist SET name = {b} WHERE id = {a}',
    'UPDATE artist SET id = {b} WHERE id = {a} AND {b} NOT IN (SELECT id FROM artist)',
    'DELETE FROM artist WHERE id IN ({a}, {b})',
    'INSERT INTO artist SELECT g, {b} FROM generate_series(1000, 1400) g ON CONFLICT DO NOTHING',
    'DELETE FROM artist WHERE id >= 1000',
]
RARE = ['TRUNCATE artist', "ALTER TABLE artist ALTER name TYPE text USING name || '!'"]


def write(engine, seed, stop):
    """Random transactions; what waits for each other too long is rolled back."""
    dice = random.Random(seed)
    with engine.connect() as connection:
        while not stop.is_set():
            with contextlib.suppress(DBAPIError):
                level = dice.choice(['on', 'off'])
                connection.exec_driver_sql(f'SET LOCAL synchronous_commit = {level}')
                connection.exec_driver_sql("SET LOCAL lock_timeout = '100ms'")
                for _ in range(dice.randrange(1, 4)):
                    part = connection.begin_nested()
                    change = dice.choice(CHANGES if dice.random() < 0.98 else RARE)
                    numbers = {'a': dice.randrange(30), 'b': dice.randrange(30)}
                    connection.exec_driver_sql(change.format(**numbers))
                    if dice.random() < 0.3:
                        part.rollback()
                if dice.random() < 0.8:
                    connection.commit()
            connection.rollback()


class Copy:
    """The table, as rounds bring it up to date."""

    def __init__(self, shop):
        self.shop, self.rows, self.waiting, self.shown = shop, {}, [], 0
        self.view, _ = shop.round()

    def round(self, dice):
        log = self.shop.log
        with self.shop.snapshot() as connection:
            view = log.view(connection)
            commits = [
                commit for commit in log.read_until(view) if not self.view.shows(commit)
            ] + self.waiting
            now = [commit for commit in commits if view.shows(commit)]
            self.waiting = [commit for commit in commits if not view.shows(commit)]
            if any(commit.whole for commit in now):
                self.rows.clear()
                changed = 'true'
            else:
                ids = {id for commit in now for (id,) in commit.touched[ARTIST]}
                changed = f'id IN ({", ".join(map(str, [-1, *ids]))})'
                self.rows = {id: name for id, name in self.rows.items() if id not in ids}
            query = 'SELECT id, name FROM artist WHERE {}'
            self.rows.update(map(tuple, connection.exec_driver_sql(query.format(changed))))
            all_rows = dict(map(tuple, connection.exec_driver_sql(query.format('true'))))
        assert self.rows == all_rows
        self.view, self.shown = view, self.shown + len(now)
        if dice.random() < 0.5:
            log.applied(view, self.waiting)
        if dice.random() < 0.2:
            self.view, self.waiting = self.shop.reopen().at(view.position), []


def test_a_copy_by_rounds_equals_the_table_in_each_snapshot(shop):
    """Also after restarts, with commits that are not on the disk, and with large transactions."""
    stop, dice = threading.Event(), random.Random(7)
    copy = Copy(shop)
    writers = [
        threading.Thread(target=write, args=(shop.engine, seed, stop)) for seed in range(WRITERS)
    ]
    for writer in writers:
        writer.start()
    try:
        for _ in range(examples(100)):
            copy.round(dice)
    finally:
        stop.set()
        for writer in writers:
            writer.join()
    copy.round(dice)
    assert copy.shown > 0
    assert copy.waiting == []
