"""What the tests of the commands share: the URL of an empty server, and models to watch."""

from __future__ import annotations

from typing import Any

import pytest

pytest.importorskip('pty', reason='needs a POSIX system')
for _package in ('typer', 'rich'):
    pytest.importorskip(_package, reason=f'the commands need {_package}')


@pytest.fixture
def url(redis_params: dict[str, Any]) -> str:
    """Of the empty server that is the library's default in this process."""
    return f'redis://{redis_params["host"]}:{redis_params["port"]}/{redis_params["db"]}'
