"""Replacing data sets: ``resetMany()``, ``resetChanged()``, and the flow of ``Model.reset()``."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from .._core.column import Column
from .._core.flows import Flow
from .._core.locking.locks import new_token
from .._core.mapping.schema import Schema
from .._core.resets.observer import ResetObserver
from ..errors import UsageError
from ..twins import awaitable
from .arguments import list_or_iterator
from .manager import IndexedRedisHelper, server_of

if TYPE_CHECKING:
    from .._core.resets.diff import Counts
    from .._core.resets.swap import Group

__all__ = ('aresetChanged', 'aresetMany', 'reset', 'resetChanged', 'resetMany')

Groups = Mapping[Any, Iterable[Any]] | Iterable[tuple[Any, Iterable[Any]]]


def resetMany(
    groups: Groups, observer: ResetObserver | None = None, mirrored: str = ''
) -> list[list[int]]:
    """Replace all stored objects of several models, in one moment.

    As ``Model.reset(objs)`` for each of them, but all new data sets go live together. Links between
    their objects lead to the new pks, whichever model comes first.

    :param groups: pairs of a model and its new data set, or a dict of them. A data set from an
        iterator, such as a generator, is never in memory as a whole.
    :param observer: is told how it goes
    :param mirrored: when the data was taken from elsewhere, in ISO 8601; what ``mirroredAt()`` says
    :returns: the pks of each data set, in order
    :raises UsageError: if a model is named twice, or if they live on different servers
    :raises ResetInProgressError: if another reset of one of them does not end within 15 s
    :raises FieldValueError: if a value cannot be stored; nothing is replaced then

    Redis: rows and sets are staged in overlapping chunks; one script swaps the sets of all models.
    """
    home, flow = _reset_many(groups, observer, mirrored)
    return home._run(flow) if home else []


@awaitable(resetMany)
async def aresetMany(
    groups: Groups, observer: ResetObserver | None = None, mirrored: str = ''
) -> list[list[int]]:
    home, flow = _reset_many(groups, observer, mirrored)
    return await home._arun(flow) if home else []


def resetChanged(
    groups: Groups,
    keys: Mapping[Any, str],
    most: int = 1000,
    observer: ResetObserver | None = None,
    mirrored: str = '',
) -> list[Counts]:
    """As :func:`resetMany`, but write only what differs from what is stored.

    Objects are told apart by a key field. One that is stored with equal values keeps its pk and is
    not written; one that is stored with others keeps its pk. What is stored and not among the new
    objects is removed.

    :param groups: pairs of a model and its new data set, or a dict
    :param keys: for each model the name of its key field, which has to be indexed; or ``'_id'``,
        if its objects bring their pks
    :param most: how many objects, of all models, may differ. The server is held up for some ten
        microseconds for each.
    :param observer: is told how it goes
    :param mirrored: as of :func:`resetMany`
    :returns: for each model how many were ``inserted``, ``updated``, ``unchanged``, ``removed``
    :raises TooManyChangesError: if more differ; nothing is changed then
    :raises UsageError: as of :func:`resetMany`, and if two objects have the same key

    Redis: ``SMEMBERS`` of the index set of each key, ``HMGET`` of each row, in chunks; one script
    makes all changes.
    """
    home, flow = _reset_changed(groups, keys, most, observer, mirrored)
    return home._run(flow) if home else []


@awaitable(resetChanged)
async def aresetChanged(
    groups: Groups,
    keys: Mapping[Any, str],
    most: int = 1000,
    observer: ResetObserver | None = None,
    mirrored: str = '',
) -> list[Counts]:
    home, flow = _reset_changed(groups, keys, most, observer, mirrored)
    return await home._arun(flow) if home else []


def reset(schema: Schema, objs: Iterable[Any], server_of: Any) -> Flow[list[int]]:
    """The flow of ``Model.reset()``."""
    from .._core.resets import swap  # for those who only read, a tenth of this package's import

    groups = [(schema, list_or_iterator(schema, objs))]
    (pks,) = yield from swap.reset_all(groups, new_token(), server_of)
    return pks


def _reset_many(
    groups: Groups, observer: ResetObserver | None, mirrored: str
) -> tuple[IndexedRedisHelper | None, Flow[list[list[int]]]]:
    """The flow, and the helper that runs it; None if there is nothing to do."""
    from .._core.resets import swap

    models, data_sets = _together(groups)
    home = IndexedRedisHelper(models[0]) if models else None
    of_model = home._server_of if home else server_of
    return home, swap.reset_all(data_sets, new_token(), of_model, observer, mirrored)


def _reset_changed(
    groups: Groups,
    keys: Mapping[Any, str],
    most: int,
    observer: ResetObserver | None,
    mirrored: str,
) -> tuple[IndexedRedisHelper | None, Flow[list[Counts]]]:
    from .._core.resets import diff  # only mirrors use it

    models, data_sets = _together(groups)
    keyed = [
        (schema, objs, _key_column(schema, keys.get(model)))
        for model, (schema, objs) in zip(models, data_sets, strict=True)
    ]
    flow = diff.merge_all(keyed, new_token(), most, observer, mirrored)
    return (IndexedRedisHelper(models[0]) if models else None), flow


def _key_column(schema: Schema, name: str | None) -> Column | None:
    if name == '_id':
        return None
    column = None if name is None else schema.columns.get(name)
    if column is None or not column.indexed:
        indexed = ', '.join(column.name for column in schema.indexed) or 'none'
        raise UsageError(
            f'{schema.name}: keys has to name an indexed field of it, not {name!r} (indexed: '
            f'{indexed}).'
        )
    return column


def _together(groups: Groups) -> tuple[list[Any], list[Group]]:
    """The models and their data sets, if they can go live in one moment."""
    pairs = [*(groups.items() if isinstance(groups, Mapping) else groups)]
    models = [model for model, _ in pairs]
    for model in models:
        if not (isinstance(model, type) and getattr(model, '_is_ir_model', False)):
            raise UsageError(f'pairs of a model and objects are needed; {model!r} is no model.')
    schemas = [model._validated() for model in models]
    _check_apart(schemas)
    _check_together(models)
    data_sets = [objs for _, objs in pairs]
    return models, [
        (schema, list_or_iterator(schema, objs))
        for schema, objs in zip(schemas, data_sets, strict=True)
    ]


def _check_apart(schemas: Iterable[Schema]) -> None:
    names: dict[bytes, str] = {}
    for schema in schemas:
        key = schema.keys.all
        if key in names:
            raise UsageError(f'{names[key]} and {schema.name} are the same model; give it once.')
        names[key] = schema.name


def _check_together(models: list[Any]) -> None:
    for model in models[1:]:
        if server_of(model) is not server_of(models[0]):
            raise UsageError(
                f'{models[0].__name__} and {model.__name__} live on different servers '
                '(or are connected with different parameters). Only what one server holds can go '
                'live in one moment; reset them one after the other.'
            )
