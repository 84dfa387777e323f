"""Models with partitions whose keys tests damage. The rule: the judge does not see them."""

from __future__ import annotations

from typing import Any

from IndexedRedis import IndexedRedisModel, IRField

COUNT = 4
# The hash tags of four partitions: see docs/reference/keys.rst.
NAME = '{shop}Songs:7'


def songs(**more: Any) -> Any:
    """A model with partitions: indexed, sorted and plain fields."""
    return _model(
        NAME,
        FIELDS=[IRField('title'), IRField('genre'), IRField('year', valueType=int)],
        INDEXED_FIELDS=['genre'],
        SORTED_FIELDS=['year'],
        **more,
    )


def goods(**more: Any) -> Any:
    """A model whose partitions follow a field."""
    return _model(
        '{shop}Goods',
        FIELDS=[IRField('shop'), IRField('number', valueType=int)],
        INDEXED_FIELDS=['shop'],
        UNIQUE_FIELDS=[('shop', 'number')],
        PARTITION_BY='shop',
        **more,
    )


def _model(name: str, **more: Any) -> Any:
    given = {'KEY_NAME': name, 'PARTITIONS': COUNT, 'CLIENT_SIDE_CACHE': 0, **more}
    return type('Partitioned', (IndexedRedisModel,), given)


def fill(model: Any) -> list[int]:
    """Store 400 songs, 100 in each partition; return their pks."""
    objs = [model(title=str(n), genre=f'g{n % 3}', year=1970 + n % 7) for n in range(400)]
    pks: list[int] = model.saver.save(objs)
    return pks


def keys_of(raw: Any, rest: str, edition: int = 1, name: str = NAME) -> list[str]:
    """The keys of an edition that end like this, sorted."""
    found = raw.scan_iter(f'_ir_|{{*}}:keys:{edition}:{name}:{rest}', count=1000)
    return sorted({key.decode() for key in found})


def fences(raw: Any, name: str = NAME) -> list[str]:
    """The fences of all partitions."""
    return keys_of(raw, 'keys:edition', 0, name)


def tag_of(key: str) -> str:
    """The hash tag of a key of a partition."""
    return key.partition('}')[0].partition('{')[2]


POINTER = f'_ir_|{NAME}:keys:edition'
RECORD = f'_ir_|{NAME}:tmp:editions'
LOCK = f'_ir_|{NAME}:tmp:lock'
