"""In which order the models are staged: a link's target before whatever links to it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..errors import UsageError
from .source import Source, same_model

__all__ = ('in_order', 'target_of')


def target_of(sources: Sequence[Source], model: Any) -> Source | None:
    """The source of the model that a link leads to; None if that is not mirrored."""
    return next((source for source in sources if same_model(source.model, model)), None)


def in_order(sources: Sequence[Source]) -> list[Source]:
    """Targets first, else as they were given.

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
    fed = [model for name, model in source.links.items() if name not in source.defaults]
    targets = [target_of(sources, model) for model in fed]
    return any(each not in (None, source, *ordered) for each in targets)
