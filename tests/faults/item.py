"""The model of the fault tests. The rule: the same class here and in every worker process."""

from __future__ import annotations

from typing import Any

import IndexedRedis as IR
from IndexedRedis import IndexedRedisModel, IRField
from IndexedRedis.fields import IRForeignMultiLinkField


class Item(IndexedRedisModel):
    """``edition`` is that of the data set, the same in all objects of one ``reset``."""

    FIELDS = [IRField('name'), IRField('n', valueType=int), IRField('edition', valueType=int)]
    INDEXED_FIELDS = ['n', 'edition']
    KEY_NAME = 'Item'


class Box(IndexedRedisModel):
    """Links to items; saving a new one saves its new items along."""

    FIELDS = [IRField('name'), IRForeignMultiLinkField('items', Item)]
    INDEXED_FIELDS = ['name']
    KEY_NAME = 'Box'


def over(params: dict[str, Any]) -> Any:
    """The model over another connection, with errors instead of long waits."""
    return Item.connectAlt(params)


def edition(model: Any, number: int, size: int, pks: Any = None) -> list[Any]:
    """A data set: objects that say which edition they belong to."""
    kept = [{'_id': pk} for pk in pks] if pks else [{}] * size
    return [model(name=f'e{number}', n=i % 7, edition=number, **pk) for i, pk in enumerate(kept)]


def box(number: int, items: list[Any]) -> Any:
    """A new box of these items."""
    return Box(name=f'e{number}', items=items)


def reset_family(number: int, size: int, items_first: bool = False) -> Any:
    """Replace items and the one box of them together."""
    items = edition(Item, number, size)
    groups = [(Box, [box(number, items)]), (Item, items)]
    return IR.resetMany(reversed(groups) if items_first else groups)


def contents(model: Any) -> list[tuple[str, int, int]]:
    """What is stored, in the order of the pks."""
    return [(obj.name, obj.n, obj.edition) for obj in model.objects.allByAge()]
