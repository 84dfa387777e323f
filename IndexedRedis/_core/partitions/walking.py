"""Go through the keys of all partitions: once on each server, not once for each partition."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

from ..flows import Act, Everywhere, Flow, scan
from ..keys import GLOB, PREFIX, KeyParts, parse_key
from ..mapping.schema import Schema
from .layout import Shard

__all__ = ('Strays', 'walk_keys')

# Returns the flow for keys of partitions that are of none of the shards.
Strays = Callable[[Sequence[tuple[bytes, KeyParts]]], Flow[Any] | tuple[()]]


def walk_keys(
    schema: Schema,
    shards: Sequence[Shard],
    act: Callable[[Shard, list[bytes]], Flow[Any]],
    strays: Strays | None = None,
    kinds: bytes = b'',
    tell: Callable[[int, int], Any] | None = None,
) -> Flow[None]:
    """Give ``act`` the keys of each shard, page by page; its flows run where the keys are.

    :param strays: gets the other keys: of other editions, and those that editions share
    :param kinds: first letters of the kinds of keys; none: all
    :param tell: as of :func:`scan`, for one server after the other
    :raises ScanLost: if another server takes over
    """
    by_tag = {_tag(shard): shard for shard in shards}

    def sort(page: list[bytes]) -> Flow[None]:
        mine: dict[Shard, list[bytes]] = {}
        others: list[tuple[bytes, KeyParts]] = []
        for key in dict.fromkeys(page):
            parts = parse_key(key)
            if parts is None or parts.tag is None or parts.model != schema.key_name:
                continue
            shard = by_tag.get(parts.tag)
            if shard is not None and shard.keys.is_own(key):
                mine.setdefault(shard, []).append(key)
            else:
                others.append((key, parts))
        for shard, names in mine.items():
            yield from act(shard, names)
        if strays is not None and others:
            yield from strays(others)

    yield Everywhere(lambda: _scan(sort, schema, kinds, tell))


def _scan(
    act: Act, schema: Schema, kinds: bytes, tell: Callable[[int, int], Any] | None
) -> Flow[None]:
    name = re.sub(GLOB, rb'\\\1', schema.key_name.encode('utf-8'))
    kind = b'[%s]*' % kinds if kinds else b'*'
    match = b'%s{*}:keys:*:%s:%s' % (PREFIX.encode('ascii'), name, kind)
    return scan(act, match=match, tell=tell, strict=True)


def _tag(shard: Shard) -> bytes:
    return shard.keys.fence.partition(b'}')[0].partition(b'{')[2]
