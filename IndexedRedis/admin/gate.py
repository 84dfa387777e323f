"""Who may see the pages, and which requests may change something.

The rule: a request without the right to be here reaches no page, and a request that another site
had a browser send changes nothing.
"""

from __future__ import annotations

import hashlib
import hmac
import inspect
import ipaddress
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Mount, Router
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from .login import login_page

__all__ = ('COOKIE', 'LOGIN', 'LOGOUT', 'Gate', 'is_loopback')

COOKIE, LOGIN, LOGOUT = 'indexedredis_admin', '/-/login', '/-/logout'
SAFE = ('GET', 'HEAD', 'OPTIONS')
SEE_OTHER, UNAUTHORIZED, FORBIDDEN = 303, 401, 403
# A request with one of these came through a proxy, from wherever.
OF_PROXIES = ('forwarded', 'x-forwarded-for', 'x-forwarded-host', 'x-real-ip', 'via')
# starlette-admin has scripts and styles in its pages; nothing may come from elsewhere.
POLICY = (
    "default-src 'none'; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data:; font-src 'self' data:; connect-src 'self'; form-action 'self'; "
    "frame-ancestors 'none'; base-uri 'none'"
)
HEADERS = {
    'Content-Security-Policy': POLICY,
    'X-Frame-Options': 'DENY',
    'X-Content-Type-Options': 'nosniff',
    'Referrer-Policy': 'same-origin',
    'Cache-Control': 'no-store',
}


class Gate:
    """Middleware that lets those through who may see the pages.

    :param app: the pages
    :param token: what each request must have, as ``Authorization: Bearer``, or in the cookie of the
        login page; None: requests must come from this machine
    :param allow: called with each request instead; says whether it may go through
    :param static: the folder of our own scripts and styles; they and those of starlette-admin are
        served from here, since its middleware raises where a browser ends a download early
    """

    def __init__(
        self, app: ASGIApp, token: str | None, allow: Callable[[Request], Any] | None, static: str
    ) -> None:
        self._app, self._token, self._allow = app, token, allow
        files = StaticFiles(directory=static, packages=[('starlette_admin', 'static')])
        self._static = Router([Mount('/static', files)])

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or pass it on."""
        if scope['type'] != 'http':
            return  # the pages have no websockets; the server closes what nobody accepts
        refusal = await self._refusal(Request(scope, receive))
        static = _path(scope).startswith('/static/')
        answer = refusal or (self._static if static else self._app)

        async def send_with_headers(message: Message) -> None:
            if message['type'] == 'http.response.start':
                headers = MutableHeaders(scope=message)
                headers.update(HEADERS)
                if static:
                    headers['Cache-Control'] = 'private, max-age=3600'
            await send(message)

        await answer(scope, receive, send_with_headers)

    async def _refusal(self, request: Request) -> Response | None:
        """Return the answer to a request that may not pass; None if it may."""
        if request.method not in SAFE and not self._is_own(request):
            return _refused('this request did not come from a page of the admin (Origin).')
        if self._token is not None:
            return await self._by_token(request, self._token)
        if self._allow is not None:
            allowed = self._allow(request)
            allowed = await allowed if inspect.isawaitable(allowed) else allowed
            return None if allowed else _refused('you may not see these pages.')
        if _is_local(request):
            return None
        return _refused(
            'without a token these pages answer only requests from this machine, to localhost. '
            'Give mount() a token=, or allow=.'
        )

    def _is_own(self, request: Request) -> bool:
        """Return whether a request was sent by one of the pages, or by a program."""
        origin = request.headers.get('origin')
        if origin is None:
            # Browsers send an Origin; a program has to bring the token itself, not a cookie.
            return self._token is not None and self._has_bearer(request, self._token)
        return _authority(origin) == request.headers.get('host') != ''

    async def _by_token(self, request: Request, token: str) -> Response | None:
        if _path(request.scope) == LOGIN:
            return await self._login(request, token)
        root = request.scope.get('root_path', '')
        if _path(request.scope) == LOGOUT and request.method == 'POST':
            answer = RedirectResponse(root + LOGIN, SEE_OTHER)
            answer.delete_cookie(COOKIE, root or '/')
            return answer
        cookie = request.cookies.get(COOKIE, '')
        if self._has_bearer(request, token) or _same(cookie, _cookie_of(token)):
            return None
        if request.method == 'GET' and 'text/html' in request.headers.get('accept', ''):
            return RedirectResponse(root + LOGIN, SEE_OTHER)
        return _refused('a token is needed.', UNAUTHORIZED, {'WWW-Authenticate': 'Bearer'})

    def _has_bearer(self, request: Request, token: str) -> bool:
        kind, _, given = request.headers.get('authorization', '').partition(' ')
        return kind.lower() == 'bearer' and _same(given, token)

    async def _login(self, request: Request, token: str) -> Response:
        if request.method != 'POST':
            return HTMLResponse(login_page())
        try:
            # Anybody may send this form, so nothing of it may fill the disk.
            async with request.form(max_files=0, max_fields=1) as form:
                given = str(form.get('token', ''))
        except HTTPException:  # it is not the form of the login page
            given = ''
        if not _same(given, token):
            return HTMLResponse(login_page('This is not the token.'), FORBIDDEN)
        root = request.scope.get('root_path', '')
        answer = RedirectResponse(root + '/', SEE_OTHER)
        secure = request.url.scheme == 'https'
        answer.set_cookie(
            *(COOKIE, _cookie_of(token)),
            path=root or '/',
            httponly=True,
            samesite='strict',
            secure=secure,
        )
        return answer


def is_loopback(host: str | None) -> bool:
    """Return whether an address or name means this machine."""
    if host == 'localhost':
        return True
    try:
        return ipaddress.ip_address((host or '').strip('[]')).is_loopback
    except ValueError:
        return False


def _is_local(request: Request) -> bool:
    """Return whether a request came from this machine, without a proxy, to a name of it.

    The name tells: a page of another site can have its own name lead to 127.0.0.1.
    """
    client = request.client.host if request.client else None
    named = request.headers.get('host', '')
    proxied = any(name in request.headers for name in OF_PROXIES)
    return is_loopback(client) and is_loopback(_hostname(named)) and not proxied


def _authority(origin: str) -> str | None:
    """Return the host and port of an Origin header; None if it is malformed."""
    try:
        return urlsplit(origin).netloc
    except ValueError:
        return None


def _hostname(authority: str) -> str | None:
    """Return the name or address of a Host header; None if it is malformed."""
    try:
        return urlsplit(f'//{authority}').hostname
    except ValueError:
        return None


def _path(scope: Scope) -> str:
    path: str = scope['path']
    return path.removeprefix(scope.get('root_path', ''))


def _same(given: str, expected: str) -> bool:
    """Compare secrets in a time that does not tell how much of them is equal."""
    return hmac.compare_digest(_digest(given), _digest(expected))


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode('utf-8', 'surrogatepass')).digest()


def _cookie_of(token: str) -> str:
    """Return what the cookie holds, from which nobody can tell the token."""
    return hmac.new(token.encode(), b'IndexedRedis admin cookie', 'sha256').hexdigest()


def _refused(
    why: str, status: int = FORBIDDEN, headers: dict[str, str] | None = None
) -> PlainTextResponse:
    return PlainTextResponse(f'IndexedRedis admin: {why}\n', status, headers)
