"""A reset that several processes share: each stages a part of the new data sets.

One process begins an edition of models with partitions, others stage objects into it, and the first
one commits it, which is the one moment in which all of it goes live. Until then nobody reads it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from .._core.flows import Flow
from .._core.locking.locks import new_token
from .._core.resets.observer import ResetObserver
from ..errors import UsageError
from .manager import IndexedRedisHelper
from .resets import Groups, together

__all__ = ('Edition', 'beginEdition', 'commitEdition', 'dropEdition', 'keepEdition', 'stageEdition')


class Edition(NamedTuple):
    """New data sets of models that are being staged. It can be pickled, for other processes.

    :param token: says whose they are
    :param models: the models, which other processes must be able to import
    :param numbers: for each model the true edition and the new one, as pairs of number and
        partitions
    """

    token: bytes
    models: tuple[Any, ...]
    numbers: tuple[tuple[tuple[int, int], tuple[int, int]], ...]


def beginEdition(models: Sequence[Any]) -> Edition:
    """Begin new data sets of models; nobody else replaces them until they are committed or dropped.

    :param models: models with ``PARTITIONS``, on one server, or in one slot of a cluster
    :raises UsageError: if a model has no partitions, is listed twice, or is elsewhere
    :raises ResetInProgressError: if another long write of a model does not end within 15 s

    Redis: ``SET`` of the locks, which expire after 10 s unless :func:`stageEdition` or
    :func:`keepEdition` extends them; one script a model.
    """
    from .._core.resets.editions import shared

    models = tuple(models)
    together([(model, ()) for model in models])
    for model in models:
        if not model._validated().partitions:
            raise UsageError(
                f'{model.__name__} has no PARTITIONS, so only one process can load it. Set them, '
                'or load it in one process.'
            )
    token = new_token()
    flow = shared.begin_shared([model._validated() for model in models], token)
    flips = IndexedRedisHelper(models[0])._run(flow)
    numbers = tuple((tuple(each.before), tuple(each.after)) for each in flips)
    return Edition(token, models, numbers)  # type: ignore[arg-type]


def stageEdition(
    edition: Edition, groups: Groups, observer: ResetObserver | None = None
) -> dict[Any, int]:
    """Stage objects of some of the models; return how many of each. Any process may do it.

    :param groups: as of :func:`resetMany`; links may lead to objects of the same call
    :param observer: a :class:`ResetObserver` that gets the progress
    :raises ResetLostError: if the edition was dropped, or its locks have expired
    :raises FieldValueError: if a value cannot be stored
    :raises UniqueError: if two objects of the new data set have a unique value

    Redis: transactions stage 100 rows each, in many partitions in one trip.
    """
    from .._core.resets.editions import shared

    models, data_sets = together(groups)
    unknown = [model for model in models if model not in edition.models]
    if unknown:
        raise UsageError(f'{unknown[0].__name__} is none of the models of this edition.')
    helper = IndexedRedisHelper(edition.models[0])
    counts = helper._run(
        shared.stage_shared(_flips(edition), data_sets, edition.token, helper._server_of, observer)
    )
    return {model: counts[model._validated()] for model in models}


def keepEdition(edition: Edition) -> None:
    """Extend the locks: to be called every 3 s while nothing is staged.

    :raises ResetLostError: if the edition was dropped, or its locks have expired

    Redis: one script.
    """
    from .._core.resets.editions import shared

    _run(edition, shared.keep_shared(_flips(edition), edition.token))


def commitEdition(
    edition: Edition,
    staged: Mapping[Any, int],
    observer: ResetObserver | None = None,
    mirrored: str = '',
) -> None:
    """Make the new data sets live, of all models in one moment.

    :param staged: for each model how many objects were staged in all: the sums of what
        :func:`stageEdition` has returned
    :param observer: gives ``fence``, as of :func:`resetMany`
    :param mirrored: as of :func:`resetMany`
    :raises ResetLostError: if the edition was dropped, its locks have expired, or another number of
        objects is staged
    :raises ConflictError: if another reset went live meanwhile

    Redis: one script a partition before and one after the script that commits; the old rows expire.
    """
    from .._core.resets.editions import shared

    flips = [
        each._replace(staged=staged.get(model, 0))
        for model, each in zip(edition.models, _flips(edition), strict=True)
    ]
    _run(edition, shared.commit_shared(flips, edition.token, observer, mirrored))


def dropEdition(edition: Edition) -> None:
    """Remove what was staged. The stored data stays as it is.

    Redis: ``SSCAN`` and ``UNLINK``.
    """
    from .._core.resets.editions import shared

    _run(edition, shared.drop_shared(_flips(edition), edition.token))


def _run(edition: Edition, flow: Flow[None]) -> None:
    IndexedRedisHelper(edition.models[0])._run(flow)


def _flips(edition: Edition) -> list[Any]:
    from .._core.partitions.editions.fence import Edition as Numbers
    from .._core.resets.editions.record import Flip

    return [
        Flip(model._validated(), Numbers(*before), Numbers(*after))
        for model, (before, after) in zip(edition.models, edition.numbers, strict=True)
    ]
