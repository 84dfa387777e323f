"""Who may see the pages, and which requests change something. The rule: each route is tried."""

from __future__ import annotations

import asyncio
import re
from types import SimpleNamespace

import httpx
import pytest
from starlette.applications import Starlette
from starlette.routing import Route
from support.keyspace import dump

from admin.serving import Page, Visitor
from admin.shop import MODELS, Artist
from IndexedRedis import errors
from IndexedRedis.admin import mount
from IndexedRedis.admin.gate import COOKIE

TOKEN = 'a token of 24 characters'
OF_ARTISTS = SimpleNamespace(models=[Artist])
BEARER = {'Authorization': f'Bearer {TOKEN}'}


def routes():
    """Path and method of each route of the pages, filled in."""
    app = Starlette()
    mount(app, MODELS, {'shop': None})
    for route in app.routes[0].routes:
        path = re.sub(r'{.*?}', 'Artist', route.path).lstrip('/')
        for method in route.methods if isinstance(route, Route) else ('GET',):
            end = 'indexedredis.css' if path == 'static' else ''
            yield method, f'/{path}/{end}'.rstrip('/') or '/'


ROUTES = sorted({*routes()})


def ask(client, **headers):
    """Ask for the first page over ASGI, as this client address; return the status."""
    app = Starlette()
    mount(app, [Artist])

    async def get():
        transport = httpx.ASGITransport(app, client=(client, 1))
        async with httpx.AsyncClient(transport=transport, base_url='http://localhost') as http:
            return (await http.get('/admin/static/indexedredis.css', headers=headers)).status_code

    return asyncio.run(get())


def test_all_routes_are_tried():
    assert {'GET', 'POST'} <= {method for method, _ in ROUTES}
    assert len(ROUTES) > 20


def test_without_a_token_only_this_machine_is_answered():
    assert ask('127.0.0.1') == ask('::1') == 200
    assert ask('127.0.0.1', host='127.0.0.1:8000') == ask('127.0.0.1', host='[::1]:8000') == 200
    assert ask('10.0.0.1') == ask('testclient') == 403
    for host in (
        'evil.example',
        'localhost.evil.example',
        '127.0.0.1.evil.example',
        '',
        '10.0.0.1',
        '[::1',
    ):
        assert ask('127.0.0.1', host=host) == 403, 'a name that leads here'
    for name in ('X-Forwarded-For', 'Forwarded', 'X-Real-IP', 'Via'):
        assert ask('127.0.0.1', **{name: '127.0.0.1'}) == 403, 'a proxy'


@pytest.fixture(scope='module')
def http():
    """Sends requests; without it each would read the certificates of this machine."""
    with httpx.Client(verify=False) as client:
        yield client


@pytest.mark.parametrize(('method', 'path'), ROUTES)
def test_each_route_needs_the_token(serve, http, method, path):
    address = serve(readOnly=False, token=TOKEN)
    http.cookies.clear()
    origin = {'Origin': str(httpx.URL(address).copy_with(path='')).rstrip('/')}
    for wrong in (None, 'x', TOKEN[:-1], f'{TOKEN}x', TOKEN.upper(), 'é'):
        headers = {} if wrong is None else {'Authorization': f'Bearer {wrong}'.encode()}
        answer = http.request(method, address + path, headers={**headers, **origin})
        assert (answer.status_code, answer.headers['WWW-Authenticate']) == (401, 'Bearer')
        assert answer.text in ('', 'IndexedRedis admin: a token is needed.\n')
    cookie = {'Cookie': f'{COOKIE}={TOKEN}', **origin}
    assert http.request(method, address + path, headers=cookie).status_code == 401
    if method == 'GET':
        assert http.get(address + path, headers=BEARER).status_code not in (401, 303)


def test_the_login_page(serve):
    with Visitor(serve(token=TOKEN), headers={'Accept': 'text/html'}) as visitor:
        page = visitor.see('/Track/list')
        assert page.fields == {'token': ''}, 'the login page'
        wrong = visitor.submit('/-/login', page, token='wrong')
        assert (wrong.status, 'This is not the token.' in wrong.text) == (403, True)
        assert COOKIE not in visitor.cookies
        answer = visitor.post(
            f'{visitor.address}/-/login',
            data={'token': TOKEN},
            headers={'Origin': visitor.origin},
            follow_redirects=False,
        )
        cookie = answer.headers['set-cookie']
        assert {'HttpOnly', 'SameSite=strict', 'Path=/admin'} <= {*cookie.split('; ')}
        pages = [visitor.get(visitor.address + path) for path in ('/', '/Track/list', '/-/login')]
        assert all(TOKEN not in each.text for each in [answer, *pages])
        assert TOKEN not in str([answer.headers, *(each.headers for each in pages)])
        assert 'AdminTrack' in visitor.see('/-/Track/dashboard').text


@pytest.mark.parametrize(
    'sent',
    [
        {'files': {'token': ('a file', TOKEN)}},
        {'files': {'token': (None, 'x' * 2**21)}},
        {'content': b'no parts', 'headers': {'Content-Type': 'multipart/form-data'}},
    ],
    ids=['a file', 'a long text', 'no form'],
)
def test_a_login_takes_no_more_than_a_token(serve, sent):
    with Visitor(serve(token=TOKEN)) as visitor:
        headers = {'Origin': visitor.origin, **sent.get('headers', {})}
        answer = visitor.post(f'{visitor.address}/-/login', **{**sent, 'headers': headers})
        assert (answer.status_code, 'This is not the token.' in answer.text) == (403, True)


def test_another_site_cannot_have_a_browser_log_in_or_write(serve, raw):
    with Visitor(serve(readOnly=False, token=TOKEN)) as visitor:
        visitor.submit('/-/login', Page(visitor.get(f'{visitor.address}/-/login')), token=TOKEN)
        assert visitor.see('/').status == 200
        form, before = visitor.see('/Artist/edit?pk=1').fields, dump(raw)
        fields = {name: (None, text) for name, text in {**form, 'name': 'stolen'}.items()}
        evil = 'https://evil.example', f'{visitor.origin}.evil.example'
        for origin in (*evil, 'null', '', 'http://[', None):
            headers = {} if origin is None else {'Origin': origin}
            for method, path in ROUTES:
                if method not in ('GET', 'HEAD'):
                    answer = visitor.request(
                        method,
                        f'{visitor.address}{path}?pk=1&name=delete',
                        files=fields,
                        headers=headers,
                    )
                    assert (answer.status_code, 'Origin' in answer.text) == (403, True), path
        without = visitor.submit('/Artist/edit?pk=1', **{'csrftoken': None, 'name': 'stolen'})
        assert (without.status, 'CSRF' in without.text) == (403, True)
        assert dump(raw) == before
        assert 'successfully' in visitor.submit('/Artist/edit?pk=1', name='Frida').text


def test_read_only_pages_change_nothing(visit, raw):
    visitor, before = visit(), dump(raw)
    list_page = visitor.see('/Artist/list')
    assert not any('/edit' in link or '/create' in link for link in list_page.links)
    token = {'csrftoken': visitor.cookies['starlette_admin_csrftoken']}
    for path in ('/Artist/edit?pk=1', '/Artist/create'):
        assert visitor.see(path).status == 403
        assert visitor.submit(path, list_page, name='x', **token).status == 403
    headers = {'Origin': visitor.origin, 'X-CSRFToken': token['csrftoken']}
    for path in (
        *('action?name=delete&pks=1', 'action?name=delete&all=1', 'action?name=export&all=1'),
        *('row-action?name=delete&pk=1', 'import', 'inline-edit?pk=1&field=name'),
    ):
        answer = visitor.post(f'{visitor.address}/_api/Artist/{path}', headers=headers)
        assert answer.status_code >= 400, path
    assert dump(raw) == before


def test_own_access_checks(serve):
    def staff(request):
        return request.headers.get('X-Staff') == 'yes'

    async def later(request):
        await asyncio.sleep(0)
        return staff(request)

    for allow in (staff, later):
        address = serve(allow=allow, path='/staff')
        assert httpx.get(f'{address}/Artist/list').status_code == 403
        assert 'Ella' in httpx.get(f'{address}/Artist/list', headers={'X-Staff': 'yes'}).text


def test_headers_keep_other_sites_out(visit):
    headers = visit().get(visit().address).headers
    policy = headers['Content-Security-Policy']
    assert "default-src 'none'" in policy and "frame-ancestors 'none'" in policy
    assert '*' not in policy and 'http' not in policy
    assert (headers['X-Frame-Options'], headers['Cache-Control']) == ('DENY', 'no-store')


@pytest.mark.parametrize(
    ('how', 'message'),
    [
        ({'token': 'short'}, 'at least 16'),
        ({'token': TOKEN, 'allow': bool}, 'not both'),
        ({'models': []}, 'no model'),
        ({'models': [int]}, "<class 'int'> is no model"),
        ({'path': 'admin'}, "write path='/admin'"),
        ({'mirrors': [OF_ARTISTS, OF_ARTISTS]}, 'two mirrors are of Artist'),
    ],
)
def test_wrong_parameters_are_refused(how, message):
    with pytest.raises(errors.UsageError, match=message):
        mount(Starlette(), **{'models': [Artist], **how})
