"""Jobs to be killed in: one operation each, and one that does all of them without end. The rule:
whatever is written together can be told from the stored objects.

Run by ``jobs.py``.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

import redis

import IndexedRedis as IR
from faults.item import Box, Item, box, edition, reset_family
from IndexedRedis._core.bulk import delete, redo
from IndexedRedis._core.bulk import insert as bulk_insert
from IndexedRedis._core.links import saving
from IndexedRedis._core.resets import index_fill, swap
from IndexedRedis._core.writes import sizes


def insert(model: Any) -> Any:
    """Save one object."""
    return edition(model, 2, 1)[0].save()


def insert_many(model: Any, size: int) -> Any:
    """Save several objects at once."""
    return model.saver.save(edition(model, 2, size))


def insert_very_many(model: Any, size: int) -> Any:
    """Save so many objects at once that they are stored out of sight, two by two."""
    sizes.SCRIPT_US, bulk_insert.CHUNK, bulk_insert.LISTED = 2, 2, 2
    return insert_many(model, size)


def insert_in_steps(model: Any, size: int) -> Any:
    """Save so many objects at once that they are published two by two."""
    redo.PUBLISHED_AT_ONCE = bulk_insert.PUBLISHED_AT_ONCE = 2
    return insert_very_many(model, size)


def _go_in_steps() -> None:
    sizes.SCRIPT_US, sizes.STEP_US = 1, 1


def update_in_steps(model: Any) -> Any:
    """Change all objects in one save, one by one."""
    _go_in_steps()
    return update_many(model)


def delete_in_steps(model: Any) -> Any:
    """Delete three objects that were fetched, one by one."""
    _go_in_steps()
    return delete_many(model)


def cascade_in_steps(model: Any, size: int) -> Any:
    """Save a new box with its new items, one by one."""
    _go_in_steps()
    old = model.objects.all()
    for obj in old:
        obj.n = 42
    return box(2, [*old, *edition(Item, 2, size)]).save()


def update_many(model: Any) -> Any:
    """Change all objects in one save."""
    objs = model.objects.all()
    for obj in objs:
        obj.n = 42
    return model.saver.save(objs)


def cascade(model: Any, size: int) -> Any:
    """Save a new box with its new items."""
    return box(2, edition(Item, 2, size)).save()


def delete_matching(model: Any) -> Any:
    """Delete by a filter."""
    return model.objects.filter(edition=1).delete()


def delete_in_chunks(model: Any) -> Any:
    """Delete by a filter, two by two."""
    delete.CHUNK = 2
    return delete_matching(model)


def delete_many(model: Any) -> Any:
    """Delete three objects that were fetched."""
    return model.deleter.deleteMultiple(model.objects.getMultiple([1, 2, 3]))


def delete_many_by_pks(model: Any) -> Any:
    """Delete three objects by their pks."""
    return model.deleter.deleteMultipleByPks([1, 2, 3])


def reset(model: Any, size: int, pks: Any = None) -> Any:
    """Replace the data set."""
    return model.reset(edition(model, 2, size, pks))


def reset_from_generator(model: Any, size: int) -> Any:
    """Replace the data set by what comes two by two."""
    swap.BLOCK = 2
    return model.reset(obj for obj in edition(model, 2, size))


def reset_moving(model: Any, size: int) -> Any:
    """Replace the data set, whose index sets of more than one member are moved by the swap."""
    index_fill.MOST = 1
    return reset(model, size)


def save_from_generator(model: Any, size: int) -> Any:
    """Save what comes two by two."""
    saving.BLOCK_OBJECTS = 2
    return model.saver.save(obj for obj in edition(model, 2, size))


def reset_many(_: Any, size: int) -> Any:
    """Replace two data sets, one of which links to the other."""
    return reset_family(2, size)


def reset_changed(model: Any, size: int) -> Any:
    """Replace the data set by what differs."""
    return IR.resetChanged([(model, edition(model, 2, size))], {model: 'n'})


def destroy(model: Any) -> Any:
    """Remove the model."""
    return model.deleter.destroyModel()


def reindex(model: Any) -> Any:
    """Fill the indexes anew."""
    return model.objects.reindex()


def write_all_ways(model: Any, first: int) -> None:
    """Write until killed. Of each edition all objects are there or none, with one ``n``, and their
    name says how many they are. The key `doing` says what is being done, to which edition.

    :param first: number of the first edition
    """
    with redis.Redis(**model.REDIS_CONNECTION_PARAMS) as client:
        saved = [first]
        for number in range(first, first + 10_000):
            way = random.choice(list(WAYS))
            client.set('doing', f'{way} {number}')
            saved = WAYS[way](number, saved)


def _bulk_save(number: int, saved: list[int]) -> list[int]:
    Item.saver.save(list(_whole(number, 20)))
    return [*saved, number]


def _update(_: int, saved: list[int]) -> list[int]:
    objs = Item.objects.filter(edition=random.choice(saved)).all()
    for obj in objs:
        obj.n += 1
    Item.saver.save(objs)
    return saved


def _filtered_delete(_: int, saved: list[int]) -> list[int]:
    Item.objects.filter(edition=saved[-1]).delete()
    return saved[:-1] or saved


def _reset(number: int, _: list[int]) -> list[int]:
    Item.reset(list(_whole(number, 100)))
    return [number]


def _cascade(number: int, saved: list[int]) -> list[int]:
    box(number, list(_whole(number, 3))).save()
    return [*saved, number]


WAYS = {
    'bulk save': _bulk_save,
    'update': _update,
    'filtered delete': _filtered_delete,
    'reset': _reset,
    'cascade': _cascade,
}


def _whole(number: int, size: int) -> Iterator[Any]:
    return (Item(name=f'{size}', n=0, edition=number) for _ in range(size))


def what_is_torn(doing: str) -> list[str]:
    """What :func:`write_all_ways` can have left only if something was half done.

    :param doing: what it did last
    """
    found: dict[int, list[Any]] = {}
    for obj in Item.objects.all():
        found.setdefault(obj.edition, []).append(obj)
    torn = [
        f'{len(objs)} of {objs[0].name} objects of edition {number}'
        for number, objs in found.items()
        if len(objs) != int(objs[0].name) or len({obj.n for obj in objs}) != 1
    ]
    by_reset = [number for number, objs in found.items() if objs[0].name == '200']
    torn += [
        f'{number}: older than a reset' for number in found if number < max(by_reset, default=0)
    ]
    way, _, number = doing.rpartition(' ')
    boxes = Box.objects.filter(name=f'e{number}').all()
    if way == 'cascade' and [obj._id for each in boxes for obj in each.items] != [
        obj._id for obj in found.get(int(number), [])
    ]:
        torn.append(f'a box without items, or items without a box: {number}')
    return torn
