"""The pages in a server of their own, and a visitor who fills in forms as a browser does."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import asynccontextmanager, contextmanager
from html.parser import HTMLParser
from typing import Any

import httpx
import uvicorn
from starlette.applications import Starlette

from IndexedRedis import aclose
from IndexedRedis.admin import mount


@contextmanager
def served(models: Any, mirrors: Any = (), **how: Any) -> Iterator[str]:
    """Mount the pages in an application, and serve it; give its address."""

    app = Starlette(lifespan=lifespan)
    mount(app, models, mirrors, **how)
    with running(app) as address:
        yield address + how.get('path', '/admin')


@asynccontextmanager
async def lifespan(app: Any) -> Any:
    """Close the connections when the application ends, as those of users do."""
    yield
    await aclose()


@contextmanager
def running(app: Any) -> Iterator[str]:
    """Serve an application on a free port; give its address."""
    config = uvicorn.Config(app, log_level='error', timeout_graceful_shutdown=5)
    server = uvicorn.Server(config)
    with socket.create_server(('127.0.0.1', 0)) as listening:
        # As asyncio does for sockets that it makes: answers of two packets waited 40 ms.
        listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        thread = threading.Thread(target=server.run, args=([listening],))
        thread.start()
        try:
            deadline = time.monotonic() + 30
            while not server.started:
                assert thread.is_alive() and time.monotonic() < deadline
                time.sleep(0.005)
            yield f'http://127.0.0.1:{listening.getsockname()[1]}'
        finally:
            server.should_exit = True
            thread.join()


class Page(HTMLParser):
    """A page: its forms' fields, its links and its text."""

    def __init__(self, answer: httpx.Response) -> None:
        super().__init__()
        self.status, self.html = answer.status_code, answer.text
        self.fields: dict[str, str] = {}
        self.links: list[str] = []
        self.tags: list[str] = []
        self.text = ''
        self._area = self._select = ''
        self.feed(self.html)

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        given = dict(attrs)
        name = given.get('name', '')
        self.tags.append(tag)
        if tag == 'a':
            self.links.append(given.get('href', ''))
        elif tag == 'textarea':
            self._area = name
            self.fields[name] = ''
        elif tag == 'select':
            self._select = name
        elif tag == 'option':
            self._option = 'selected' in given
        elif tag == 'input' and name and (given.get('type') != 'checkbox' or 'checked' in given):
            box = given.get('type') == 'checkbox'
            self.fields[name] = given.get('value', 'on' if box else '')

    def handle_endtag(self, tag: str) -> None:
        if tag == 'textarea':
            # A page begins a textarea with a line end that does not count.
            self.fields[self._area] = self.fields[self._area].removeprefix('\n')
            self._area = ''
        elif tag == 'select':
            self._select = ''

    def handle_data(self, data: str) -> None:
        self.text += data
        if self._area:
            self.fields[self._area] += data
        elif self._select and data.strip() and (self._option or self._select not in self.fields):
            self.fields[self._select] = data.strip()


class Visitor(httpx.Client):
    """A browser without scripts: it keeps cookies, and sends an Origin with what it posts."""

    def __init__(self, address: str, **more: Any) -> None:
        super().__init__(follow_redirects=True, timeout=60, verify=False, **more)
        self.address = address
        self.origin = str(httpx.URL(address).copy_with(path='/')).rstrip('/')

    def see(self, path: str = '/') -> Page:
        """Open a page."""
        return Page(self.get(self.address + path))

    def submit(self, path: str, page: Page | None = None, **changes: Any) -> Page:
        """Post the form of a page with changes; None takes a field out."""
        given = {**(page or self.see(path)).fields, **changes}
        given = {name: value for name, value in given.items() if value is not None}
        headers = {'Origin': self.origin}
        # As browsers do, with CR LF in texts.
        files = {name: (None, value.replace('\n', '\r\n')) for name, value in given.items()}
        return Page(self.post(self.address + path, files=files, headers=headers))
