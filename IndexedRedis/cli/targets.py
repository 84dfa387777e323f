"""``package.module:Name`` to the object that it names.

The rule: a mistake in the name and an error inside the module give different messages.
"""

from __future__ import annotations

import sys
from importlib import import_module
from typing import Any

from .. import isIndexedRedisModel
from ..errors import UsageError
from ..utils import near_miss

__all__ = ('load', 'load_mirror', 'load_model', 'load_models', 'load_module')


def load_model(target: str) -> Any:
    """Import the model that ``package.module:Model`` names.

    :raises UsageError: if it names no model; the message says what it names
    """
    named = load(target)
    if not (isinstance(named, type) and isIndexedRedisModel(named)):
        raise UsageError(f'{target} is no model, but {_described(named)}.')
    named.validateModel()  # type: ignore[attr-defined]
    return named


def load_mirror(target: str) -> Any:
    """Import the mirror that ``package.module:mirror`` names.

    :raises UsageError: if it names something else; the message says what
    """
    from ..mirror import Mirror

    named = load(target)
    if not isinstance(named, Mirror):
        raise UsageError(f'{target} is a {type(named).__name__}, not a Mirror.')
    return named


def load_models(target: str) -> list[Any]:
    """Import the models of ``package.module``, or the one that ``package.module:Model`` names.

    :raises UsageError: if there is none
    """
    if ':' in target:
        return [load_model(target)]
    module = load_module(target)
    found = {
        each: None
        for each in vars(module).values()
        if isinstance(each, type) and isIndexedRedisModel(each) and each.KEY_NAME  # type: ignore[attr-defined]
    }
    if not found:
        raise UsageError(f'{target} has no models.')
    for model in found:
        model.validateModel()  # type: ignore[attr-defined]
    return [*found]


def load(target: str) -> Any:
    """Import the object that ``package.module:name`` names; the name may have dots.

    :raises UsageError: if there is none; the message says which part is missing
    """
    module, colon, path = target.partition(':')
    if not (module and colon and path) or module.startswith('.'):
        raise UsageError(f'{target!r} names nothing; write package.module:Name.')
    named = load_module(module)
    for name in path.split('.'):
        if not hasattr(named, name):
            raise UsageError(f'{target}: {_described(named)} has no {name!r}.{_hint(named, name)}')
        named = getattr(named, name)
    return named


def load_module(name: str) -> Any:
    """Import a module.

    :raises UsageError: if there is none, or its import fails
    """
    if '' not in sys.path:
        sys.path.insert(0, '')  # the script `indexedredis` has its own folder there instead
    try:
        return import_module(name)
    except ModuleNotFoundError as error:
        if error.name and f'{name}.'.startswith(f'{error.name}.'):
            raise UsageError(
                f'There is no module {error.name!r}, neither here nor installed.'
            ) from None
        raise UsageError(f'Importing {name} failed: {error}') from error
    except Exception as error:
        raise UsageError(f'Importing {name} failed: {type(error).__name__}: {error}') from error


def _described(named: Any) -> str:
    if type(named) is type(sys):
        return f'module {named.__name__}'
    return f'{named.__name__}' if isinstance(named, type) else f'a {type(named).__name__}'


def _hint(named: Any, name: str) -> str:
    models = [each for each in dir(named) if isIndexedRedisModel(getattr(named, each, None))]
    hint = near_miss(name, [each for each in dir(named) if not each.startswith('__')])
    return hint or (f' Its models: {", ".join(models)}.' if models else '')
