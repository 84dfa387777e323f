"""How a worker gets the mirror: it imports it by its name, or unpickles it.

The rule: what a worker has is what the run has. An engine is not sent, since nobody can tell how it
connects; a mirror that a module has under a name is imported, and compared.
"""

from __future__ import annotations

import pickle
import sys
from importlib import import_module
from typing import Any, NamedTuple

from sqlalchemy import Engine

from ... import (
    getDefaultIREncoding,
    getDefaultRedisConnectionParams,
    setDefaultIREncoding,
    setDefaultRedisConnectionParams,
)
from ...errors import UsageError
from ..source import Source

__all__ = ('Blueprint', 'Built', 'blueprint_of', 'built')

# As which a worker has the program that was started.
_MAIN, _MAIN_OF_WORKER = '__main__', '__mp_main__'


class Blueprint(NamedTuple):
    """What another process makes the mirror from.

    :param module: the module that has it; empty: it is pickled
    :param name: its name there
    :param packed: the pickled mirror
    :param definition: describes it, so that another one is noticed
    :param params: the default connection parameters of Redis, pickled
    :param encoding: the default encoding
    """

    module: str
    name: str
    packed: bytes
    definition: str
    params: bytes
    encoding: str


class Built(NamedTuple):
    """The parts of a mirror that a worker needs."""

    database: Any
    sources: list[Source]
    rules: Any


def blueprint_of(mirror: Any, workers: int) -> Blueprint:
    """Return what another process makes the mirror from.

    :raises UsageError: if no other process can have it
    """
    module, name = _place_of(mirror)
    packed = b'' if module else _packed(mirror, workers)
    try:
        params = pickle.dumps(getDefaultRedisConnectionParams())
    except Exception as error:
        raise UsageError(
            f'workers={workers}: the default connection parameters of Redis cannot be sent to '
            f'another process ({type(error).__name__}). Give texts and numbers, or a URL.'
        ) from None
    definition = _definition_of(mirror)
    return Blueprint(module, name, packed, definition, params, getDefaultIREncoding())


def _place_of(mirror: Any) -> tuple[str, str]:
    """Return the module that has the mirror and its name there; empty texts if none has."""
    for module_name, module in [*sys.modules.items()]:
        found = getattr(module, '__dict__', {})
        for name, value in [*found.items()]:
            if value is mirror and isinstance(name, str) and _can_import(module_name, module):
                return module_name, name
    return '', ''


def _can_import(name: str, module: Any) -> bool:
    """Return whether another process finds a module; it finds no lines that a person typed."""
    return name != _MAIN or bool(getattr(module, '__file__', None))


def _packed(mirror: Any, workers: int) -> bytes:
    remedy = (
        'Give the mirror a name in a module, outside of functions: a worker imports it from there. '
        'Or load with workers=1.'
    )
    if isinstance(mirror._database, Engine):
        raise UsageError(
            f'workers={workers}: an Engine cannot be sent to another process. {remedy} A URL in '
            'the place of the Engine works too.'
        )
    try:
        return pickle.dumps(mirror)
    except Exception as error:
        raise UsageError(
            f'workers={workers}: the mirror cannot be sent to another process: '
            f'{type(error).__name__}: {error}. {remedy}'
        ) from None


def _definition_of(mirror: Any) -> str:
    """Return a text of what decides which rows are read, and what becomes of them."""
    database, rules = mirror._database, mirror._rules
    parts = [repr(database.url if isinstance(database, Engine) else database)]
    parts.append(f'{rules.dangling} {rules.zero_dates}')
    for source in mirror._sources:
        parts += [source.model.KEY_NAME, source.shown_key, str(source.statement)]
        parts += [f'{name}: {join}' for name, join in source.joins.items()]
        parts += [repr(source.columns), repr(source.link_columns), repr(source.fold)]
        parts += sorted(source.defaults | source.epochs)
    return '\n'.join(parts)


def built(blueprint: Blueprint) -> Built:
    """Return the mirror, with the connection parameters of the run as the default.

    :raises UsageError: if the module has another mirror
    """
    mirror = _loaded(blueprint)
    setDefaultIREncoding(blueprint.encoding)
    # After the import: the module may have set others than the command that the user typed.
    setDefaultRedisConnectionParams(pickle.loads(blueprint.params))
    return Built(mirror._database, mirror._sources, mirror._rules)


def _loaded(blueprint: Blueprint) -> Any:
    if not blueprint.module:
        return pickle.loads(blueprint.packed)
    name = _MAIN_OF_WORKER if blueprint.module == _MAIN else blueprint.module
    mirror = getattr(import_module(name), blueprint.name, None)
    if mirror is None or _definition_of(mirror) != blueprint.definition:
        raise UsageError(
            f'The worker imported {blueprint.module}, and {blueprint.name} is another mirror there '
            'than in the process of the run. Define it in the same way wherever the module is '
            'imported, or load with workers=1.'
        )
    return mirror
