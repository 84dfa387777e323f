"""Partitioned models for scenarios that are written for plain ones. The rule: new objects get the
pks that a plain model would give them, as long as nobody brings pks.

For this, chance is replaced: the n-th new object of a model goes to partition n % N.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

PARTITIONS = 6


def may_have_partitions(model: Any) -> bool:
    """Whether a model can have partitions, and says nothing of them itself."""
    fields = (each for each in model.FIELDS if getattr(each, 'unique', False))
    excluded = model.UNIQUE_FIELDS or model.CLIENT_SIDE_CACHE or model.REPLICA_READS != 'never'
    return not (model.PARTITIONS or excluded or any(fields))


def deal(patch: pytest.MonkeyPatch) -> None:
    """Have new objects go to one partition after the other."""
    from IndexedRedis._core.partitions import saving
    from IndexedRedis._core.resets.editions.staging import EditionStaging

    choose = saving._partition_for
    counts = Counter[str]()
    given: dict[tuple[str, int], int] = {}

    def dealt(schema: Any, obj: Any, forced: int | None, seed: int, edition: Any) -> Any:
        if forced is None and obj._id is None and (schema.key_name, seed) not in given:
            counts[schema.key_name] += 1
            given[schema.key_name, seed] = counts[schema.key_name]
        return choose(schema, obj, forced, given.get((schema.key_name, seed), seed), edition)

    decide = EditionStaging.partition_of

    def in_turn(staging: Any, item: Any) -> int:
        if staging.schema.partition_by is not None:
            return decide(staging, item)
        counts[staging.schema.key_name] += 1
        return counts[staging.schema.key_name] % int(staging.edition.partitions)

    patch.setattr(EditionStaging, 'partition_of', in_turn)
    patch.setattr(saving, 'RUN', 1)
    patch.setattr(saving, '_partition_for', dealt)
