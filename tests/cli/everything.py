"""A model with a field of every kind that the samples know, and every sample as an object."""

from __future__ import annotations

from typing import Any

from samples import advanced as samples_advanced
from samples import fields as samples
from samples import types as samples_types

from IndexedRedis import IndexedRedisModel

ALL = [*samples.SAMPLES, *samples_advanced.SAMPLES, *samples_types.SAMPLES]
MAKERS = list(dict.fromkeys(sample.make for sample in ALL))
NAMES = {make: f'field_{number}' for number, make in enumerate(MAKERS)}


class Everything(IndexedRedisModel):
    """Indexed and sorted by all that can be."""

    # The samples all use one name.
    FIELDS = [make.func(NAMES[make], *make.args[1:], **make.keywords) for make in MAKERS]
    INDEXED_FIELDS = [str(field) for field in FIELDS if field.CAN_INDEX]
    SORTED_FIELDS = [str(field) for field in FIELDS if field.canSort]
    KEY_NAME = 'Everything'


def objects() -> list[Any]:
    """An object of nulls, and one for each sample."""
    filled = [Everything(**{NAMES[sample.make]: sample.given}) for sample in ALL]
    return [Everything(), *filled]
