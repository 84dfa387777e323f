"""Connection parameters: check them, parse their URL, compare them.

Rule: no text of this file shows a value that may contain a password.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote, urlsplit

from ..errors import ConnectionSetupError
from .topologies import as_plain_url, check_topology

__all__ = ('ParamsKey', 'check_mapping', 'check_params', 'key_of', 'without_url')

_BAD_URL = (
    'The URL of the connection cannot be used; it is not shown, since it may hold a password. Give '
    'redis://user:password@host:port/db, rediss://..., unix://path, redis+cluster://host:port or '
    'sentinel://host:port,host:port/name, with what may be special in '
    "the password escaped by urllib.parse.quote(password, safe='')."
)
# Options of a URL whose values may hold an @ that is not escaped.
_TEXT_OPTIONS = re.compile(r'(?:^|&)(?:username|password|client_name)=[^&]*')
# The parameters that ParamsKey shows: the address of a server.
_SHOWN = ('host', 'port', 'db', 'unix_socket_path')


def check_mapping(params: Any) -> None:
    """Check that connection parameters are a dict.

    :raises ConnectionSetupError: if they are not
    """
    if not isinstance(params, Mapping):
        raise ConnectionSetupError(
            "Connection parameters are a dict, such as {'host': '127.0.0.1'} or {'url': "
            f"'redis://127.0.0.1'}}; given was a {type(params).__name__}. Give a dict."
        )


def check_params(params: Any) -> None:
    """Check that connection parameters can be used.

    :raises ConnectionSetupError: if they cannot
    """
    check_mapping(params)
    if params.get('decode_responses'):
        raise ConnectionSetupError(
            'decode_responses=True cannot be used: fields decode values themselves, and some hold '
            'bytes that are no text. Leave it out.'
        )
    host, path = params.get('host'), params.get('unix_socket_path')
    if (isinstance(host, str) and set(host) & set('/@')) or '://' in str(path):
        raise ConnectionSetupError(
            "The parameter 'host' or 'unix_socket_path' is a URL; it is not shown, since it may "
            "hold a password. Give it as 'url'."
        )
    most, seconds = params.get('max_connections'), params.get('failover_seconds')
    if most is not None and (isinstance(most, bool) or not isinstance(most, int) or most < 1):
        raise ConnectionSetupError(f"'max_connections' is a number from 1, not {most!r}.")
    if seconds is not None and not (isinstance(seconds, int | float) and seconds >= 0):
        raise ConnectionSetupError(f"'failover_seconds' is a number of seconds, not {seconds!r}.")
    check_topology(params)


def without_url(params: Mapping[str, Any]) -> dict[str, Any]:
    """Return parameters with the parts of their ``url``; the other parameters override these.

    :raises ConnectionSetupError: if they are not a dict, or the URL cannot be used
    """
    check_mapping(params)
    if 'url' not in params:
        return dict(params)
    from redis.connection import UnixDomainSocketConnection

    rest = {key: value for key, value in params.items() if key != 'url'}
    found = _parsed(params['url'])
    if found is None:
        # Raised outside of the `except` block, whose error shows parts of the URL.
        raise ConnectionSetupError(_BAD_URL)
    kind = found.pop('connection_class', None)
    if kind is UnixDomainSocketConnection:
        found['unix_socket_path'] = found.pop('path')
    elif kind is not None:
        found['ssl'] = True
    return {**found, **rest}


def _parsed(url: Any) -> dict[str, Any] | None:
    """Return the parameters of a URL; None if it cannot be used."""
    from redis.connection import parse_url

    try:
        plain, beyond = as_plain_url(url)
        parts = urlsplit(plain)
        # An unescaped character of the password may end the host; then the @ follows the host.
        after_host = parts.path + _TEXT_OPTIONS.sub('', parts.query) + parts.fragment
        if parts.scheme != 'unix' and '@' in after_host:
            return None
        if parts.scheme != 'unix' and not re.fullmatch(r'/?\d*/?', unquote(parts.path)):
            return None  # redis-py would take another database
        found = {**parse_url(plain), **beyond}  # type: ignore[no-untyped-call]
        if 'failover_seconds' in found:
            found['failover_seconds'] = float(found['failover_seconds'])
        return found
    except (AttributeError, TypeError, ValueError):
        return None


class ParamsKey(frozenset[tuple[str, Any]]):
    """Connection parameters as a key of dicts. Its repr shows the address, and no password."""

    def __repr__(self) -> str:
        shown = {name: value for name, value in self if name in _SHOWN}
        return f'<parameters {", ".join(f"{name}={shown[name]}" for name in sorted(shown))}>'


def key_of(params: Mapping[str, Any]) -> ParamsKey:
    """Return a hashable value that is equal for equal parameters only.

    Dicts and lists are compared by their contents, other values without a hash by identity.
    """
    return ParamsKey((name, _comparable(value)) for name, value in params.items())


def _comparable(value: Any) -> Any:
    if isinstance(value, Mapping):
        return Mapping, key_of(value)
    if isinstance(value, (list, tuple)):
        return type(value), tuple(map(_comparable, value))
    try:
        hash(value)
    except TypeError:
        return _Identity(value)
    return value


class _Identity:
    """Wraps an object without a hash; it is equal to itself only."""

    def __init__(self, value: Any) -> None:
        self._value = value

    def __hash__(self) -> int:
        return id(self._value)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Identity) and self._value is other._value
