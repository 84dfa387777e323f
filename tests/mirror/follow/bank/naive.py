"""Followers that are wrong, each in one way, so that there is something for the judges to see.

The rule: nothing but this one thing differs from the real follower.
"""

from __future__ import annotations

import time
from typing import Any

from IndexedRedis import resetChanged
from IndexedRedis.mirror import attempt, database
from IndexedRedis.mirror.follow.follower import Follower


def row_by_row() -> None:
    """Store each row in a script of its own."""
    changed: Any = Follower._changed

    def each(self: Any, snapshot: Any, keys: Any, status: Any) -> Any:
        nothing: dict[Any, set[Any]] = {source: set() for source in keys}
        batch = changed(self, snapshot, nothing, status)
        for source, some in keys.items():
            for key in some:
                batch = changed(self, snapshot, {**nothing, source: {key}}, status)
        return batch

    _replace(Follower, '_changed', each)


def model_by_model() -> None:
    """Store the rows of each model in a script of its own."""

    def each(groups: Any, keys: Any, most: int, observer: Any, stamp: str, *how: Any) -> Any:
        removed, new_pks = how
        outcomes = []
        for model, objs in groups:
            one = {model: keys[model]}, most, observer, stamp, {model: removed[model]}
            outcomes += resetChanged([(model, objs)], *one, [*({model} & {*new_pks})])
        return outcomes

    _replace(attempt, 'resetChanged', each)


def without_a_snapshot() -> None:
    """Read the rows of each select as they are when it is their turn, some time after the last."""
    chunks: Any = database.Snapshot.chunks

    def slowly(*args: Any) -> Any:
        time.sleep(0.01)
        return chunks(*args)

    _replace(database, 'SNAPSHOT_LEVEL', 'READ COMMITTED')
    _replace(database.Snapshot, 'chunks', slowly)


def without_accounts() -> None:
    """Forget what commits do to accounts."""
    fresh = Follower._fresh

    def others(self: Any, commits: Any) -> Any:
        for commit in commits:
            for name in {*commit.touched, *commit.whole}:
                if name.endswith('.account'):
                    commit.touched.pop(name, None)
                    commit.whole.discard(name)
        return fresh(self, commits)

    _replace(Follower, '_fresh', others)


def _replace(where: Any, name: str, what: Any) -> None:
    setattr(where, name, what)


WAYS = {
    each.__name__: each
    for each in (row_by_row, model_by_model, without_a_snapshot, without_accounts)
}
