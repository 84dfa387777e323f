"""What a mirror needs to know of models of Django: their selects, keys, and database.

The rule: it reads ``_meta`` and ``DATABASES``, and asks Django for no row.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...errors import UsageError
from .database import engine_of
from .selects import Tables, is_django_model

__all__ = ('arguments_of',)


def arguments_of(models: Mapping[Any, Any], using: str, options: dict[str, Any]) -> dict[str, Any]:
    """Return the arguments of a mirror of Django models.

    :param models: for each model of this library one of Django, or what ``Mirror`` takes
    :param using: the name of the database in ``DATABASES``
    :param options: the arguments that a caller gave; they come first
    :raises UsageError: if a model cannot be mirrored from its ``_meta``
    """
    chosen = {model: given for model, given in models.items() if is_django_model(given)}
    if not chosen:
        raise UsageError(
            'Mirror.of takes models of Django: Mirror.of({Artist: shop.models.Artist}). For '
            'selects and tables write Mirror(database, {Artist: ...}).'
        )
    from django.db import connections

    more = [options.get(name) or {} for name in ('changed', 'deleted')]
    unseen = {model: {each[model] for each in more if model in each} for model in chosen}
    tables = Tables(chosen, connections[using].timezone, unseen)
    given = {name: options.pop(name, None) or {} for name in ('keys', 'columns', 'links')}
    columns = {
        model: {**tables.left_out(model), **given['columns'].get(model, {})} for model in models
    }
    return {
        'database': engine_of(using),
        'selects': {**models, **tables.selects()},
        'keys': {**tables.keys(), **given['keys']},
        'columns': {model: names for model, names in columns.items() if names},
        'links': {**tables.links(), **given['links']},
        **options,
    }
