"""``package.module:Name`` to what it names.

The rule: a mistake in the name and a mistake in the module are told apart, and both are told.
"""

from __future__ import annotations

import sys
from difflib import get_close_matches
from importlib import import_module
from typing import Any

from .. import isIndexedRedisModel
from ..errors import UsageError

__all__ = ('load', 'load_model')


def load_model(target: str) -> Any:
    """Import the model that ``package.module:Model`` names.

    :raises UsageError: if there is none; the message says what was looked for, and where
    """
    found = load(target)
    if not (isinstance(found, type) and isIndexedRedisModel(found)):
        raise UsageError(f'{target} is no model, but {_described(found)}.')
    found.validateModel()  # type: ignore[attr-defined]
    return found


def load(target: str) -> Any:
    """Import what ``package.module:name`` names; the name may have dots.

    :raises UsageError: if there is none; the message says what was looked for, and where
    """
    module, colon, path = target.partition(':')
    if not (module and colon and path) or module.startswith('.'):
        raise UsageError(f'{target!r} names nothing; write package.module:Name.')
    found = _module(module)
    for name in path.split('.'):
        if not hasattr(found, name):
            raise UsageError(f'{target}: {_described(found)} has no {name!r}.{_near(found, name)}')
        found = getattr(found, name)
    return found


def _module(name: str) -> Any:
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


def _described(found: Any) -> str:
    if type(found) is type(sys):
        return f'module {found.__name__}'
    return f'{found.__name__}' if isinstance(found, type) else f'a {type(found).__name__}'


def _near(found: Any, name: str) -> str:
    names = [each for each in dir(found) if isIndexedRedisModel(getattr(found, each, None))]
    close = get_close_matches(name, [each for each in dir(found) if not each.startswith('__')])
    if close:
        return f' Did you mean {" or ".join(close)}?'
    return f' Its models: {", ".join(names)}.' if names else ''
