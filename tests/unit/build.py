"""Models and objects for tests without a server. The rule: one call, one model, no shared state."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from IndexedRedis import IndexedRedisModel, IRField
from IndexedRedis._core.writes.inserts import draws


def define(*fields: Any, indexed: Any = (), name: str = 'Song', **body: Any) -> Any:
    """A model of these fields; plain names become text fields."""
    proper = [IRField(field) if type(field) is str else field for field in fields]
    definition = {'FIELDS': proper, 'INDEXED_FIELDS': list(indexed), 'KEY_NAME': name}
    return type(IndexedRedisModel)(name, (IndexedRedisModel,), {**definition, **body})


def load(model: Any, pk: int = 1, /, **row: bytes) -> Any:
    """An object as if just fetched; a field that is not named is absent from the hash."""
    return load_only(model, list(model._validated().columns), pk, **row)


def load_only(model: Any, names: list[str], pk: int = 1, /, **row: bytes) -> Any:
    """A partial object, of which only the fields `names` were fetched."""
    schema = model._validated()
    columns = schema.named(names)
    built = schema.builder(columns).objects([pk], [[row.get(name) for name in names]], b'')
    return built[0]


def number_draws(monkeypatch: Any, token: bytes, number: int) -> None:
    """Let the next draw of a pk have this token and number."""
    earlier = draws.Draw(token, number - 1, datetime.now(UTC))
    monkeypatch.setattr(draws, '_free', [earlier])
