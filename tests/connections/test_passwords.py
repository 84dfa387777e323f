"""Passwords. The rule: no error, log line, warning or text of an object shows one, whatever is
wrong with the connection."""

from __future__ import annotations

import asyncio
import gc
import logging
import socketserver
import threading
import traceback
import warnings

import pytest
import redis
from faults.proxy import read
from support.servers import free_port

import IndexedRedis as IR
from IndexedRedis import IRField
from IndexedRedis.connections import tasks
from IndexedRedis.executors import exchange

PASSWORD = 'hunter2'
# Written into a URL as they are, these are no part of a password, or only by chance.
SIGNS = ['/', '?', '#', '[', ']', '@', ':', '%', ' ', '\\', '\u2100']
URLS = [f'redis://{user}:{PASSWORD}{sign}x@{{}}/0' for sign in SIGNS for user in ('', 'user')]
URLS += [f'redis://user:1{sign}{PASSWORD}=x@{{}}/0' for sign in '/?#']  # the host is "user" then
URLS += [f'{scheme}://:{PASSWORD}@{{}}' for scheme in ('http', 'unix', 'redis')]
URLS += [
    f':{PASSWORD}@{{}}',
    f'redis://:{PASSWORD}@{{}}/0?{PASSWORD}@x',
    f'redis://{{}}:{PASSWORD}',
]


def forms(address):
    """Connection parameters, and what people give in their place."""
    host, port = address.split(':')
    for url in (url.format(address) for url in URLS):
        yield {'url': url}
    url = URLS[-4].format(address)
    yield from (url, url.encode(), [url], {'url': url.encode()}, {'url': [url]})
    yield from ({'host': url}, {'host': f':{PASSWORD}@{host}'}, {'unix_socket_path': url})
    yield from ({'connection_pool': url}, {'connection_pool': {'password': PASSWORD}})
    yield {'host': host, 'port': port, 'password': PASSWORD, 'unknown': PASSWORD}
    yield {'host': host, 'port': port, 'password': PASSWORD, 'decode_responses': True}
    for protocol in (2, 3):
        yield {'host': host, 'port': port, 'password': PASSWORD, 'protocol': protocol}
        yield {'host': host, 'port': port, 'username': 'u', 'password': PASSWORD, 'db': 99}


@pytest.fixture(scope='module')
def model():
    body = {'FIELDS': [IRField('n')], 'INDEXED_FIELDS': ['n'], 'KEY_NAME': 'Passwords'}
    return type(IR.IndexedRedisModel)('Passwords', (IR.IndexedRedisModel,), body)


def uses(model, params):
    """All ways to use connection parameters, or a client."""
    yield lambda: IR.setDefaultRedisConnectionParams(params)
    yield lambda: IR.getRedisPool(params)
    yield lambda: model.connectAlt(params).objects.filter(n='1').all()
    yield lambda: model.connectAlt(params)(n='1').save()
    yield lambda: IR.findModels(params)
    yield lambda: model(n='1').saveToExternal(params)
    yield lambda: asyncio.run(model.connectAlt(params).objects.acount())


def texts_of_error(error):
    """What a log shows of an error, and what a program can find."""
    yield from traceback.format_exception(error)
    while error is not None:
        yield repr(error)
        error = error.__context__


def texts_of(use, model):
    """All that one use says: the error with its causes, what is printed of the objects at hand."""
    try:
        use()
    except Exception as exc:
        yield from texts_of_error(exc)
    yield repr((IR.RedisPools, tasks._pools))
    yield repr([model, model.objects, *vars(model).get('_alternatives', {}).values()])


@pytest.mark.filterwarnings('ignore::ResourceWarning', 'ignore::DeprecationWarning')
def test_no_text_shows_a_password(redis_params, new_server, model, caplog, monkeypatch):
    monkeypatch.setattr(exchange, 'RETRY_SECONDS', 0)
    caplog.set_level(logging.DEBUG)
    server = new_server(requirepass='another')
    addresses = [f'{server.host}:{server.port}', f'127.0.0.1:{free_port()}']
    shown, errors = [], 0
    with warnings.catch_warnings(record=True) as caught:
        for params in (form for address in addresses for form in forms(address)):
            for use in uses(model, params):
                texts = [*texts_of(use, model)]
                errors += len(texts) > 2
                shown += [(params, text) for text in texts if PASSWORD in text]
                IR.setDefaultRedisConnectionParams(redis_params)
        # Drop the pools of ended loops, so that Python warns of their connections in this test.
        tasks._pools.clear()
        gc.collect()
    assert shown == []
    assert [str(each.message) for each in caught if PASSWORD in str(each.message)] == []
    assert PASSWORD not in caplog.text
    assert errors > 400


class Parrot(socketserver.StreamRequestHandler):
    """A server that knows no command, and repeats all of it, as Redis does."""

    def handle(self):
        while True:
            try:
                words = read(self.rfile).split(b'\r\n')[2::2]
            except EOFError:
                return
            said = b' '.join(b"'%s'" % word for word in words[1:])
            error = b"-ERR unknown command '%s', with args beginning with: %s\r\n"
            self.wfile.write(error % (words[0], said))


@pytest.mark.parametrize(('protocol', 'command'), [(2, 'AUTH'), (3, 'HELLO')])
@pytest.mark.parametrize('of_asyncio', [False, True], ids=['threads', 'tasks'])
def test_a_server_that_repeats_what_it_does_not_know(model, protocol, command, of_asyncio):
    async def ask(alt):
        try:
            return await alt.objects.acount()
        finally:
            await IR.aclose()

    with socketserver.ThreadingTCPServer(('127.0.0.1', 0), Parrot) as parrot:
        threading.Thread(target=parrot.serve_forever, args=[0.01], daemon=True).start()
        host, port = parrot.server_address
        alt = model.connectAlt(
            {'host': host, 'port': port, 'password': PASSWORD, 'protocol': protocol}
        )
        with pytest.raises(redis.ResponseError, match=f"unknown command '{command}'") as caught:
            asyncio.run(ask(alt)) if of_asyncio else alt.objects.count()
        IR.clearRedisPools()
        parrot.shutdown()
    assert PASSWORD not in ''.join(texts_of_error(caught.value))
