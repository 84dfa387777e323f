"""What every test shares. The rule: a test gets a real server that is empty, a library whose
defaults point at it, and a judge who reads the data afterwards.

Servers run once a session (with pytest-xdist once a worker); a test that takes `redis_params`,
directly or through another fixture, runs once for each kind of server this machine has.
"""

from __future__ import annotations

import contextlib
import itertools
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import hypothesis
import pytest
import redis
import servers
from checker import check_model

# A server answers when it answers: time limits of single examples only make tests flaky.
hypothesis.settings.register_profile('servers', deadline=None)
hypothesis.settings.load_profile('servers')

HERE = ('host', 'port', 'db', 'password')  # what says where a model's data is
_numbers = itertools.count(1)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption('--server', choices=servers.KINDS, help='test on this kind of server only')


def pytest_report_header(config: pytest.Config) -> list[str]:
    """Say which servers are used, and which are not: nothing is left out silently."""
    wanted = _kinds(config)
    return [f'server {kind}: {_fate(kind, wanted)}' for kind in servers.KINDS]


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Print what tests counted (`figures`), added up over those that say the same of themselves.

    With pytest-xdist it comes along with the reports.
    """
    reports = [*terminalreporter.getreports('passed'), *terminalreporter.getreports('failed')]
    total: dict[str, Counter[str]] = {}
    for report in reports:
        for name, noted in report.user_properties if report.when == 'call' else ():
            if name == 'figures':
                total.setdefault(noted[0], Counter()).update(noted[1])
    if total:
        terminalreporter.section('figures')
    for what, counts in sorted(total.items()):
        told = ', '.join(f'{count:,} {name}' for name, count in counts.items())
        terminalreporter.write_line(f'{what}: {told}')


def _fate(kind: str, wanted: list[str]) -> str:
    if kind in wanted:
        return f'{servers.version(kind)} ({servers.binary(kind)})'
    return 'left out by --server' if servers.binary(kind) else 'NOT PRESENT, not tested on'


def _kinds(config: pytest.Config) -> list[str]:
    only = config.getoption('--server')
    return [kind for kind in servers.present() if only in (None, kind)]


# What is tested in these directories does not depend on the kind of server: one will do.
ONE_KIND = ('aio', 'cli', 'mirror', 'testing')


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if 'server' in metafunc.fixturenames:
        kinds = _kinds(metafunc.config) or ['none']
        if metafunc.definition.path.parent.name in ONE_KIND:
            kinds = kinds[-1:]
        metafunc.parametrize('server', kinds, indirect=True, scope='session')


@pytest.fixture(scope='session')
def server(request: pytest.FixtureRequest) -> Iterator[servers.Server]:
    """The server of this session. Tests that stop, freeze or configure one use `new_server`."""
    if request.param == 'none':
        pytest.fail(servers.HOW_TO_GET)
    with servers.Server(request.param) as running:
        yield running


@pytest.fixture
def figures(server: servers.Server, record_property: Callable[..., None]) -> Callable[..., None]:
    """`figures('8 savers', saves=1600, wrong=0)`: have this printed at the end of the run."""

    def note(what: str, **counts: int) -> None:
        told = {name.replace('_', ' '): count for name, count in counts.items()}
        record_property('figures', (f'{server.kind}, {what}', told))

    return note


@pytest.fixture
def new_server(server: servers.Server) -> Iterator[Callable[..., servers.Server]]:
    """A factory of servers of the same kind that belong to this test alone."""
    with contextlib.ExitStack() as stack:
        yield lambda **config: stack.enter_context(servers.Server(server.kind, **config))


@pytest.fixture
def redis_params(server: servers.Server) -> Iterator[dict[str, Any]]:
    """Connection parameters of an empty server, which is also the library's default."""
    import IndexedRedis as IR

    with contextlib.closing(server.client()) as client:
        client.flushall()
    before = IR.getDefaultRedisConnectionParams()
    IR.setDefaultRedisConnectionParams(dict(server.params))
    yield dict(server.params)
    IR.setDefaultRedisConnectionParams(before)
    IR.clearRedisPools()


@pytest.fixture
def telling_server(server: servers.Server) -> servers.Server:
    """The server, if clients can be told of changes: for tests of what is remembered."""
    if not servers.tells(server.kind):
        pytest.skip(f'{server.kind} {servers.version(server.kind)}, or this redis-py, is too old')
    return server


@pytest.fixture
def raw(redis_params: dict[str, Any]) -> Iterator[redis.Redis]:
    """A plain redis-py client that gives bytes."""
    with contextlib.closing(redis.Redis(**redis_params)) as client:
        yield client


class Watch:
    """The models of one test, and the checker over them."""

    def __init__(self, client: redis.Redis):
        self.client = client
        self.models: list[Any] = []

    def add(self, *models: Any) -> None:
        """Have these judged when the test is over."""
        self.models += [model for model in models if model not in self.models]

    def findings(self, *models: Any, pending: bool = False) -> list[str]:
        """What is wrong with these models (all of the test, if none is named)."""
        wanted = models or self.models
        return [text for model in wanted for text in self._of(model, pending)]

    def _of(self, model: Any, pending: bool) -> list[str]:
        others = [other for other in self.models if other is not model]
        own = {name: value for name, value in model.REDIS_CONNECTION_PARAMS.items() if name in HERE}
        if not own:
            return check_model(self.client, model, others, pending)
        params = {**self.client.connection_pool.connection_kwargs, **own}
        with contextlib.closing(redis.Redis(**{name: params.get(name) for name in HERE})) as client:
            return check_model(client, model, others, pending)


@pytest.fixture
def watch(raw: redis.Redis, new_server: object, request: pytest.FixtureRequest) -> Iterator[Watch]:
    """Judges the models that were made or watched when the test is over (`new_server` is named
    here so that its servers still run then)."""
    watch = Watch(raw)
    yield watch
    if not request.node.get_closest_marker('damaged'):
        _fail_if(watch.findings())


@pytest.fixture
def watch_models(watch: Watch) -> Callable[..., None]:
    """`watch_models(Song, Album)`: have models written out in the test file judged as well."""
    return watch.add


@pytest.fixture
def check(watch: Watch) -> Callable[..., None]:
    """`check()` or `check(Song)`: judge now, in the middle of the test; `pending=True` allows for
    a reset that was killed on its way."""
    return lambda *models, **how: _fail_if(watch.findings(*models, **how))


@pytest.fixture
def make_model(watch: Watch) -> Callable[..., Any]:
    """`make_model([IRField('name')], indexed=['name'])`: a fresh model under a key of its own.

    Plain names become `IRField`s, and further keywords attributes of the class. It is judged when
    the test is over.
    """
    from IndexedRedis import IndexedRedisModel, IRField

    def make(fields: Any, indexed: Any = (), key_name: str | None = None, **attrs: Any) -> Any:
        name = f'Model{next(_numbers)}'
        fields = [IRField(field) if type(field) is str else field for field in fields]
        body = {'FIELDS': fields, 'INDEXED_FIELDS': list(indexed), 'KEY_NAME': key_name or name}
        model = type(IndexedRedisModel)(name, (IndexedRedisModel,), {**body, **attrs})
        watch.add(model)
        return model

    return make


def _fail_if(findings: list[str]) -> None:
    if findings:
        pytest.fail('the index checker found damage:\n  ' + '\n  '.join(findings), pytrace=False)
