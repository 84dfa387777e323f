"""``mount()``: the pages of some models, in an application of Starlette or FastAPI."""

from __future__ import annotations

import hmac
import re
import secrets
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import redis
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette_admin import BaseAdmin
from starlette_admin.helpers import static_url

from .. import isIndexedRedisModel
from ..errors import IndexedRedisError, UsageError
from .dashboards import Dashboards, Overview
from .gate import Gate
from .mirrors import Mirrors
from .views import ModelView

__all__ = ('mount',)

HERE = Path(__file__).parent
# A token that a program could guess within years.
SHORTEST_TOKEN = 16
UNAVAILABLE, BAD_REQUEST = 503, 400


def mount(
    app: Starlette,
    models: Iterable[Any],
    mirrors: Mapping[str, Any] | Iterable[Any] = (),
    *,
    path: str = '/admin',
    readOnly: bool = True,
    token: str | None = None,
    allow: Callable[[Request], Any] | None = None,
    secretKey: str | None = None,
    title: str = 'IndexedRedis',
) -> None:
    """Add the admin page to an application. Who may see it has to be said: see ``token``.

    :param app: an application of Starlette or FastAPI
    :param models: the models to show
    :param mirrors: mirrors to show and, unless ``readOnly``, to run; a dict names them
    :param path: where the pages are
    :param readOnly: whether nothing can be changed: no object, and no run of a mirror but a dry one
    :param token: what each request must bring, at least 16 characters, as ``Authorization: Bearer``
        or typed into the login page. None: only requests from this machine, to ``localhost``
        and not through a proxy, are answered.
    :param allow: called with each request in place of a token; returns whether it may see the
        pages, at once or as an awaitable
    :param secretKey: signs cookies; needed with several processes if there is no token
    :param title: the title of the pages
    :raises UsageError: if a parameter is wrong
    :raises InvalidModelException: if the definition of a model is wrong
    """
    _check(path, token, allow)
    key = secretKey or (_derived(token) if token else secrets.token_hex(32))
    admin = BaseAdmin(
        title=title,
        base_url=path.rstrip('/'),
        route_name=f'indexedredis{re.sub(r"[^a-z0-9]+", "-", path.lower()).rstrip("-")}',
        templates_dir=str(HERE / 'templates'),
        favicon_url=lambda request: static_url(request, 'indexedredis.svg'),
        index_view=Overview(),
        secret_key=key,
        timezone_config=None,
        middlewares=[Middleware(Gate, token=token, allow=allow, static=str(HERE / 'static'))],
    )
    views = _views(models, readOnly)
    dashboards = Dashboards(views)
    admin.index_view.dashboards = dashboards  # type: ignore[attr-defined]
    for view in [*views, dashboards]:
        admin.add_view(view)
    named = _named(mirrors)
    if named:
        admin.add_view(Mirrors(named, readOnly))
    admin.templates.env.globals |= {'ir_read_only': readOnly, 'ir_token': token is not None}
    admin.mount_to(app)
    for kind in (redis.RedisError, IndexedRedisError):
        admin.app.add_exception_handler(kind, _handler(admin))


def _check(path: str, token: str | None, allow: Any) -> None:
    if path and not path.startswith('/'):
        raise UsageError(f'mount(): path={path!r} is no path; write path={"/" + path!r}.')
    if token is not None and allow is not None:
        raise UsageError('mount(): give token= or allow=, and not both.')
    if token is not None and len(token) < SHORTEST_TOKEN:
        raise UsageError(
            f'mount(): the token has {len(token)} characters; give at least {SHORTEST_TOKEN}, as '
            'from secrets.token_urlsafe().'
        )


def _derived(token: str) -> str:
    """Return a key for signatures that each process with this token derives alike."""
    return hmac.new(token.encode(), b'IndexedRedis admin signatures', 'sha256').hexdigest()


def _views(models: Iterable[Any], read_only: bool) -> list[ModelView]:
    """Return a view of each model; each view knows all of them, for links."""
    views: dict[Any, ModelView] = {}
    keys: set[str] = set()
    for model in models:
        if not (isinstance(model, type) and isIndexedRedisModel(model)):
            raise UsageError(f'mount(): {model!r:.100} is no model.')
        if model in views:
            continue
        name = re.sub(r'\W', '_', model.__name__, flags=re.ASCII)
        number = next(n for n in range(1, len(keys) + 2) if _key(name, n) not in keys)
        keys.add(_key(name, number))
        views[model] = ModelView(model, _key(name, number), read_only)
    if not views:
        raise UsageError('mount(): there is no model to show.')
    for view in views.values():
        view.views = views
    return [*views.values()]


def _key(name: str, number: int) -> str:
    return name if number == 1 else f'{name}-{number}'


def _named(mirrors: Mapping[str, Any] | Iterable[Any]) -> dict[str, Any]:
    """Return mirrors by their names; the names of their models, if they have none.

    :raises UsageError: if two of them would have the same name
    """
    if isinstance(mirrors, Mapping):
        return dict(mirrors)
    named: dict[str, Any] = {}
    given: Iterable[Any] = mirrors
    for each in given:
        name = ', '.join(model.__name__ for model in each.models)
        if name in named:
            raise UsageError(f'mount(): two mirrors are of {name}. Name them by a dict.')
        named[name] = each
    return named


def _handler(admin: BaseAdmin) -> Any:
    """Return what shows errors of the library, and of the server, as a page."""

    async def handle(request: Request, error: Exception) -> Response:
        away = isinstance(error, redis.RedisError)
        status = UNAVAILABLE if away else BAD_REQUEST
        return await admin._render_error(request, HTTPException(status, str(error)))

    return handle
