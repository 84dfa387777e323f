"""Models that are not mirrored, and link to one that is: new pks would break their links.

The rule: a run is refused while such a model stores objects, unless their targets keep their pks.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from contextlib import suppress
from typing import Any

from ... import IndexedRedisError, IndexedRedisModel, IRForeignLinkFieldBase
from ...connections.threads import server_for
from ...errors import ConnectionSetupError
from ...managers.manager import server_of
from ..guards import applies
from ..order import target_of
from ..source import Source

__all__ = ('links_at_risk',)


def links_at_risk(stored: Mapping[Source, int], keep_pks: bool | Collection[Any]) -> Iterator[str]:
    """Yield what a full swap would break, a sentence for each link field.

    :param stored: how many objects each mirrored model stores
    :param keep_pks: the models whose rows keep the pks of stored objects; or whether all do
    """
    mirrored = {source.model.KEY_NAME for source in stored}
    seen: set[tuple[Any, str]] = set()
    for model in _models(IndexedRedisModel):
        if model.KEY_NAME in mirrored:
            continue
        for name, linked in _links(model):
            target = target_of([*stored], linked)
            if target is None or applies(keep_pks, target.model) or not stored[target]:
                continue
            if (model.KEY_NAME, name) in seen or not _is_beside(model, target.model):
                continue
            seen.add((model.KEY_NAME, name))
            if count := model.objects.count():
                yield _at_risk(target, model, name, count)


def _is_beside(model: Any, other: Any) -> bool:
    """Whether a model may store objects in the database of another one."""
    one, two = (
        server_for(each.REDIS_CONNECTION_PARAMS, each._connection) for each in (model, other)
    )
    if one is not two:
        return False
    try:
        server_of(model)
    except ConnectionSetupError:  # a cluster refuses it
        return False
    return True


def _at_risk(target: Source, model: Any, name: str, count: int) -> str:
    return (
        f'{target.name}: {model.__name__}.{name} links to it, and {model.__name__} is no model of '
        f'this mirror. All objects of {target.name} get new pks, so the links of {count:,} objects '
        f'would lead nowhere. Mirror {model.__name__} too, or keep the pks of equal keys: '
        f'keepPks=[{target.name}].'
    )


def _models(base: Any) -> Iterator[Any]:
    """Yield the models that the program has defined."""
    waiting = [*base.__subclasses__()]
    while waiting:
        model = waiting.pop()
        waiting += model.__subclasses__()
        if isinstance(model.KEY_NAME, str):
            yield model


def _links(model: Any) -> Iterator[tuple[str, Any]]:
    """Yield the link fields of a model and what they link to; none of a model that is not valid."""
    with suppress(IndexedRedisError):
        model.validateModel()
        for field in model.FIELDS:
            if isinstance(field, IRForeignLinkFieldBase):
                with suppress(ValueError):  # a model that is not defined
                    yield field.name, field.foreignModel
