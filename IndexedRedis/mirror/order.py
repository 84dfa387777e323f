"""The order in which models are staged: the target of a link before the models that link to it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..errors import UsageError
from .source import Source

__all__ = ('in_order', 'links_to_itself', 'target_of', 'targets_of')


def target_of(sources: Sequence[Source], model: Any) -> Source | None:
    """Return the source of a link's target model; None if that model is not mirrored."""
    return next((source for source in sources if source.model._is_variant(model)), None)


def targets_of(source: Source, sources: Sequence[Source]) -> list[Source]:
    """Return the other sources that the links of a source lead to."""
    targets = [target_of(sources, model) for model in _fed(source)]
    return [each for each in sources if each is not source and each in targets]


def links_to_itself(source: Source) -> bool:
    """Return whether rows of a source link to each other."""
    return any(source.model._is_variant(model) for model in _fed(source))


def _fed(source: Source) -> list[Any]:
    """Return the models that the fed links of a source lead to."""
    return [model for name, model in source.links.items() if name not in source.defaults]


def in_order(sources: Sequence[Source]) -> list[Source]:
    """Return the sources, targets first, else in the given order.

    :raises UsageError: if different models link to each other in a circle
    """
    ordered: list[Source] = []
    waiting = list(sources)
    while waiting:
        ready = [source for source in waiting if not _missing(source, sources, ordered)]
        if not ready:
            names = ', '.join(source.name for source in waiting)
            raise UsageError(
                f'{names} link to each other in a circle, so none can be staged before the others. '
                'Name one of the link fields in defaults, or make it a plain field with the key.'
            )
        ordered.append(ready[0])
        waiting.remove(ready[0])
    return ordered


def _missing(source: Source, sources: Sequence[Source], ordered: Sequence[Source]) -> bool:
    """Return whether a target of the source's links is not staged yet."""
    targets = [target_of(sources, model) for model in _fed(source)]
    return any(target not in (None, source, *ordered) for target in targets)
