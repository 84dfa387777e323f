"""``resetMany()``, ``resetChanged()`` and the flow of ``Model.reset()``: they replace data sets."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from .._core.column import Column
from .._core.flows import Flow
from .._core.locking.locks import new_token
from .._core.mapping.encoder import StoredRows
from .._core.mapping.schema import Schema
from .._core.resets.observer import ResetObserver
from ..errors import UsageError
from ..twins import awaitable
from .arguments import list_or_iterator
from .manager import IndexedRedisHelper, server_of

if TYPE_CHECKING:
    from .._core.resets.diff import Counts
    from .._core.resets.swap import Group

__all__ = (
    'StoredRows',
    'aresetChanged',
    'aresetMany',
    'reset',
    'resetChanged',
    'resetMany',
)

Groups = Mapping[Any, Iterable[Any]] | Iterable[tuple[Any, Iterable[Any]]]


def resetMany(
    groups: Groups, observer: ResetObserver | None = None, mirrored: str = ''
) -> list[list[int]]:
    """Replace all stored objects of several models in one swap, and return the pks.

    It works as ``Model.reset(objs)`` for each model, but readers see all new data sets at the same
    moment. Links between the new objects lead to their new pks, in any order of the models.

    :param groups: pairs of a model and its new data set, or a dict of them. An iterator, such as a
        generator, is read in chunks.
    :param observer: a :class:`ResetObserver` that gets the progress
    :param mirrored: the time at which the data was read from its source, in ISO 8601, for
        ``mirroredAt()``
    :returns: the list of pks of each data set, in order
    :raises UsageError: if a model is listed twice, or the models live on different servers
    :raises ResetInProgressError: if another long write of a model does not end within 15 s
    :raises FieldValueError: if a value cannot be stored; then nothing is replaced
    :raises UniqueError: if two objects have one unique value; then nothing is replaced

    Redis: transactions stage rows and sets in overlapping chunks; one script swaps the sets of all
    models.
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
    keys: Mapping[Any, str | Sequence[str]],
    most: int = 1000,
    observer: ResetObserver | None = None,
    mirrored: str = '',
    removed: Mapping[Any, Iterable[Any] | None] | None = None,
    newPks: Collection[Any] = (),
) -> list[Counts]:
    """Replace all stored objects of several models, writing only the differences.

    A key field tells which new object is which stored one. A stored object keeps its pk; it is
    written if a value differs, and removed if no new object has its key. With ``removed``, the
    objects are changes instead of all data: the others stay as they are.

    Models with ``PARTITIONS``: if an object differs, all objects of its model are written again,
    and ``most`` does not count. Their key includes the field of ``PARTITION_BY``, and they take no
    keys in ``removed``.

    :param groups: as of :func:`resetMany`
    :param keys: for each model the name of its key field, which must be indexed; the names of
        several such fields; or ``'_id'``, if the objects bring their pks
    :param most: how many objects, of all models, may differ. Each blocks the server for some ten
        microseconds.
    :param observer: a :class:`ResetObserver` that gets the progress
    :param mirrored: as of :func:`resetMany`
    :param removed: for each model the keys of objects to remove, such as ``{Track: [7, 8]}``; of
        tuples, where several fields are the key. An unknown key does nothing. Of several stored
        objects with one of the keys, all are removed; of those with the key of a new object, all
        but the first. ``None`` in place of the keys of a model: its objects are all data, as
        without ``removed``.
    :param newPks: models that no link leads to, and that have no unique fields. If more than
        ``most`` objects differ, those of such models get new pks, and up to 50,000 of them may
        differ, or ``most`` if that is more: each blocks the server for about a microsecond.
    :returns: for each model the numbers ``inserted``, ``updated``, ``unchanged`` and ``removed``
    :raises TooManyChangesError: if more objects differ; then nothing is changed
    :raises UsageError: as of :func:`resetMany`, and if two objects have the same key
    :raises ConflictError: if others change the same objects meanwhile; then nothing is changed
    :raises UniqueError: if two objects would have one unique value; then nothing is changed

    Redis: ``SMEMBERS`` of the index set of each key, or ``SINTER`` of the sets of a key of several
    fields, and ``HMGET`` of each row, in chunks; one script makes all changes. A mirror first asks
    ``EXISTS`` and ``SUNION`` for the index sets of 500 keys.
    """
    home, flow = _reset_changed(groups, keys, most, observer, mirrored, removed, newPks)
    return home._run(flow) if home else []


@awaitable(resetChanged)
async def aresetChanged(
    groups: Groups,
    keys: Mapping[Any, str | Sequence[str]],
    most: int = 1000,
    observer: ResetObserver | None = None,
    mirrored: str = '',
    removed: Mapping[Any, Iterable[Any] | None] | None = None,
    newPks: Collection[Any] = (),
) -> list[Counts]:
    home, flow = _reset_changed(groups, keys, most, observer, mirrored, removed, newPks)
    return await home._arun(flow) if home else []


def reset(schema: Schema, objs: Iterable[Any], server_of: Any) -> Flow[list[int]]:
    """Return the flow of ``Model.reset()``."""
    groups = [(schema, list_or_iterator(schema, objs))]
    (pks,) = yield from _replaced(groups, server_of)
    return pks


def _replaced(
    groups: Sequence[Group],
    server_of: Any,
    observer: ResetObserver | None = None,
    mirrored: str = '',
) -> Flow[list[list[int]]]:
    """Return the flow that replaces data sets.

    :raises UsageError: if only some of the models have partitions
    """
    if not _have_partitions([schema for schema, _ in groups]):
        from .._core.resets import swap  # a tenth of the import time, which readers save

        return swap.reset_all(groups, new_token(), server_of, observer, mirrored)
    from .._core.resets.editions.reset import reset_editions

    return reset_editions(groups, new_token(), server_of, observer, mirrored)


def _have_partitions(schemas: Sequence[Schema]) -> bool:
    """Return whether models have partitions.

    :raises UsageError: if only some of them have
    """
    spread = [schema.name for schema in schemas if schema.partitions]
    others = [schema.name for schema in schemas if not schema.partitions]
    if spread and others:
        raise UsageError(
            f'{", ".join(spread)} and {", ".join(others)}: models with and without PARTITIONS '
            'cannot go live in one moment. Give all of them PARTITIONS, or reset them one after '
            'the other.'
        )
    return bool(spread)


def _reset_many(
    groups: Groups, observer: ResetObserver | None, mirrored: str
) -> tuple[IndexedRedisHelper | None, Flow[list[list[int]]]]:
    """Return the manager that runs the flow, or None if there are no models; and the flow."""
    models, data_sets = together(groups)
    home = IndexedRedisHelper(models[0]) if models else None
    of_model = home._server_of if home else server_of
    return home, _replaced(data_sets, of_model, observer, mirrored)


def _reset_changed(
    groups: Groups,
    keys: Mapping[Any, str | Sequence[str]],
    most: int,
    observer: ResetObserver | None,
    mirrored: str,
    removed: Mapping[Any, Iterable[Any] | None] | None,
    new_pks: Collection[Any],
) -> tuple[IndexedRedisHelper | None, Flow[list[Counts]]]:
    from .._core.resets import diff  # only programs that call it pay for its import

    models, data_sets = together(groups)
    if removed and (strangers := removed.keys() - {*models}):
        raise UsageError(f'removed names {strangers.pop()!r}, which is not one of the models.')
    keyed = [
        (
            schema,
            objs,
            _key_columns(schema, keys.get(model)),
            None if removed is None else removed.get(model, ()),
        )
        for model, (schema, objs) in zip(models, data_sets, strict=True)
    ]
    movable = {
        schema
        for model, (schema, _) in zip(models, data_sets, strict=True)
        if model in new_pks and not schema.uniques
    }
    if _have_partitions([schema for schema, _ in data_sets]):
        from .._core.resets.editions.changed import change_editions

        changes = change_editions(keyed, new_token(), observer, mirrored)
        return (IndexedRedisHelper(models[0]) if models else None), changes
    flow = diff.merge_all(keyed, new_token(), most, observer, mirrored, movable)
    return (IndexedRedisHelper(models[0]) if models else None), flow


def _key_columns(schema: Schema, key: str | Sequence[str] | None) -> tuple[Column, ...]:
    if key == '_id':
        return ()
    names = (key,) if isinstance(key, str) else tuple(key) if isinstance(key, (tuple, list)) else ()
    columns = [schema.columns.get(name) for name in names if isinstance(name, str)]
    known = tuple(column for column in columns if column is not None and column.indexed)
    if not known or len(known) < len(names):
        indexed = ', '.join(column.name for column in schema.indexed) or 'none'
        raise UsageError(
            f'{schema.name}: keys has to name an indexed field of it, not {key!r} (indexed: '
            f'{indexed}). Name one of these, or several, or _id.'
        )
    return known


def together(groups: Groups) -> tuple[list[Any], list[Group]]:
    """Return the models, and the pairs of schema and data set.

    :raises UsageError: if one swap cannot replace them
    """
    pairs = [*(groups.items() if isinstance(groups, Mapping) else groups)]
    models = [model for model, _ in pairs]
    for model in models:
        if not (isinstance(model, type) and getattr(model, '_is_ir_model', False)):
            raise UsageError(f'{model!r} is no model. Give pairs of a model and its objects.')
    schemas = [model._validated() for model in models]
    _check_apart(schemas)
    _check_together(models)
    data_sets = [objs for _, objs in pairs]
    return models, [
        (schema, objs if isinstance(objs, StoredRows) else list_or_iterator(schema, objs))
        for schema, objs in zip(schemas, data_sets, strict=True)
    ]


def _check_apart(schemas: Iterable[Schema]) -> None:
    names: dict[bytes, str] = {}
    for schema in schemas:
        key = schema.keys.all
        if key in names:
            raise UsageError(f'{names[key]} and {schema.name} are the same model. Give it once.')
        names[key] = schema.name


def _check_together(models: list[Any]) -> None:
    for model in models[1:]:
        if server_of(model) is not server_of(models[0]):
            raise UsageError(
                f'{models[0].__name__} and {model.__name__} live on different servers, in '
                'different slots of a cluster, or have different connection parameters. One swap '
                'works in one place. Reset them one after the other; on a cluster, or give their '
                f"KEY_NAMEs the same tag in braces, such as '{{shop}}{model.__name__}'."
            )
