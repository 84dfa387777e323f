"""What every test shares. The rule: a test gets a real server that is empty, a library whose
defaults point at it, and a judge who reads the data afterwards.

Servers run once a session (with pytest-xdist once a worker). A test that takes `redis_params`,
directly or through another fixture, runs on one kind of server; with `--full` on each that this
machine has.
"""

from __future__ import annotations

import contextlib
import functools
import gc
import importlib.metadata
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import redis
from judge.watching import check, make_model, watch, watch_models  # noqa: F401
from selection import budget
from selection.choosing import load_examples, one_each, rest_of, some_of_each
from support import servers
from support.browser import _session_chromium, chromium  # noqa: F401
from support.stepping import in_steps  # noqa: F401

# Makes `benchmarks` importable: at the end, so that the library is still the one under test.
sys.path.append(str(Path(__file__).parent.parent))

# redis-py looks its own version up whenever it makes a client: a tenth of a short test.
importlib.metadata.version = functools.cache(importlib.metadata.version)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption('--server', choices=servers.KINDS, help='test on this kind of server only')
    parser.addoption(
        '--full',
        action='store_true',
        help='run each scenario on each server, by each executor and from each database; '
        'without it each scenario runs in one of these environments',
    )
    parser.addoption(
        '--rest',
        action='store_true',
        help='with --full: leave out the tests that a default run has done alike',
    )
    parser.addoption(
        '--environments',
        type=int,
        metavar='COUNT',
        help='with --full: run each scenario in so many environments, which the seed chooses',
    )
    parser.addoption(
        '--budget',
        type=float,
        metavar='SECONDS',
        help=f'how long a run may take for each of {", ".join(budget.KINDS)}; tests that are left '
        'then are skipped, but for one of each folder (with --full: of each file). The default is '
        f'{budget.DEFAULT_SECONDS} for a run of everything; with --full, -k, -m or paths there is '
        'no limit',
    )
    parser.addoption(
        '--seed',
        type=int,
        default=0,
        metavar='NUMBER',
        help='choose other environments, and other tests before a budget is spent',
    )
    parser.addoption(
        '--minutes',
        type=float,
        metavar='NUMBER',
        help='how long random histories take (tests/histories/test_random_histories.py and '
        'tests/partitions/test_histories.py), and the bank of tests/mirror/follow; '
        'else a few seconds, with --full one minute on all servers together',
    )
    parser.addoption(
        '--sorted',
        action='store_true',
        help='have the models that tests make keep their fields in sorted sets too, which the '
        'checker judges after each test',
    )
    parser.addoption(
        '--docs',
        action='store_true',
        help='have tests/pages/single/test_security_page.py write its lists',
    )


def pytest_configure(config: pytest.Config) -> None:
    """Declare the kinds of tests that take long, and start counting their time."""
    load_examples(config.getoption('--full'))
    config.addinivalue_line('markers', 'telling: takes telling_server (for single parameters)')
    config.addinivalue_line('markers', 'names_keys: has keys or databases that clusters have not')
    config.addinivalue_line('markers', 'plain_model: tells what a model without partitions does')
    config.addinivalue_line('markers', 'either(*parameters): one value of these without --full')
    for kind, what in budget.KINDS.items():
        config.addinivalue_line('markers', f'{kind}: {what}')
    seconds = budget.seconds(config)
    if seconds is not None:
        config.pluginmanager.register(budget.Budget(seconds))


@pytest.hookimpl(trylast=True)  # so that -k and -m say first which environments may be chosen
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Keep one environment of each scenario, unless all or the rest are wanted."""
    seed = config.getoption('--seed')
    for item in items:
        if _needs_telling(item) and not servers.tells(item.callspec.params['server']):
            item.add_marker(pytest.mark.skip(reason='this server, or this redis-py, is too old'))
    if not config.getoption('--full'):
        chosen = one_each(items, seed)
    else:
        chosen = rest_of(items) if config.getoption('--rest') else {*items}
        if count := config.getoption('--environments'):
            chosen = some_of_each([item for item in items if item in chosen], seed, count)
    config.hook.pytest_deselected(items=[item for item in items if item not in chosen])
    items[:] = [item for item in items if item in chosen]
    if budget.seconds(config) is not None:
        items[:] = budget.shuffled(items, seed, each_file=config.getoption('--full'))


def _needs_telling(item: Any) -> bool:
    return 'telling_server' in item.fixturenames or item.get_closest_marker('telling') is not None


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Let a worker that is done take tests over from others: some take 10,000 times as long."""
    from xdist.scheduler import WorkStealingScheduling

    return WorkStealingScheduling(config, log)


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Iterator[Any]:
    """Collect tests without looking for garbage: a quarter of the time, and there is none."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.enable()


def pytest_collection_finish() -> None:
    """Take the collected tests out of garbage collection: they stay, and each look at them takes
    longer than most tests."""
    gc.collect()
    gc.freeze()


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


TESTS = Path(__file__).parent
# What is tested in these rooms does not depend on the kind of server: one will do.
ONE_KIND = ('admin', 'aio', 'cli', 'mirror', 'testing')
# Rooms of these that take each kind.
EACH_KIND = ('mirror/follow/mariadb', 'mirror/follow/postgres', 'mirror/workers')
# Tests that run on a cluster, and over models with partitions, too.
EVERYWHERE = ('conformance',)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if 'server' in metafunc.fixturenames:
        kinds = _kinds(metafunc.config) or ['none']
        alike = _is_in(ONE_KIND, metafunc.definition) and not _is_in(EACH_KIND, metafunc.definition)
        if alike and not metafunc.definition.get_closest_marker('clusters'):
            kinds = kinds[-1:]
        if _is_for_clusters(metafunc.definition):
            clusters = [kind + servers.CLUSTER for kind in kinds]
            kinds = kinds + (clusters if metafunc.config.getoption('--full') else clusters[-1:])
        if _is_for_partitions(metafunc.definition):
            plain = [kind for kind in kinds if not kind.endswith(servers.CLUSTER)]
            parted = [kind + servers.PARTED for kind in plain]
            nodes = [kind + servers.PARTED_NODES for kind in plain]
            full = metafunc.config.getoption('--full')
            kinds = [*kinds, *(parted + nodes if full else parted[-1:])]
        metafunc.parametrize('server', kinds, indirect=True)


def _is_in(rooms: tuple[str, ...], function: Any) -> bool:
    """Whether a test is in one of these rooms of ``tests``, or in a room of it."""
    return any((TESTS / room) in function.path.parents for room in rooms)


def _is_for_partitions(function: Any) -> bool:
    """Whether a test runs over partitioned models, too."""
    wanted = _is_in(EVERYWHERE, function) and 'watch' in function.fixturenames
    plain = any(function.get_closest_marker(name) for name in ('plain_model', 'names_keys'))
    return wanted and not plain and bool(servers.present())


def _is_for_clusters(function: Any) -> bool:
    named = function.get_closest_marker('names_keys')
    return not named and _is_in(EVERYWHERE, function) and bool(servers.present())


@pytest.fixture(scope='session')
def running_servers(request: pytest.FixtureRequest) -> Iterator[Callable[[str], servers.Server]]:
    """The servers of this session by kind, each started when the first test needs it, but for
    clusters of one node: they start with the first server, as they need seconds until they are
    ready."""
    with contextlib.ExitStack() as stack:
        start = functools.cache(lambda kind: stack.enter_context(_server(kind)))
        for kind in sorted(_clusters_of(request.session.items)):
            start(kind)

        def ready(kind: str) -> servers.Server:
            server = start(kind.removesuffix(servers.PARTED))
            server.wait_until_ready()
            return server

        yield ready


def _clusters_of(items: list[Any]) -> set[str]:
    """The clusters of one node that these tests take."""
    params = [item.callspec.params for item in items if hasattr(item, 'callspec')]
    kinds = {each['server'] for each in params if 'server' in each}
    return {kind for kind in kinds if kind.endswith(servers.CLUSTER)}


def _server(kind: str) -> Any:
    if kind.endswith(servers.PARTED_NODES):
        return servers.ThreeNodes(kind)
    if kind.endswith(servers.CLUSTER):
        return servers.one_node_cluster(kind)
    return servers.Server(kind)


@pytest.fixture
def server(
    request: pytest.FixtureRequest, running_servers: Callable[[str], servers.Server]
) -> servers.Server:
    """The server of this session. Tests that stop, freeze or configure one use `new_server`."""
    if request.param == 'none':
        pytest.fail(servers.HOW_TO_GET)
    return running_servers(request.param)


@pytest.fixture(scope='session')
def running_groups() -> Iterator[Callable[..., Any]]:
    """`running_groups(start_cluster, 'valkey')`: several servers that make up one, started when the
    first test of this session needs them."""
    with contextlib.ExitStack() as stack:
        yield functools.cache(lambda start, kind: stack.enter_context(start(servers.binary(kind))))


@pytest.fixture
def cluster(server: servers.Server, running_groups: Callable[..., Any]) -> Any:
    """An empty cluster of this kind of server, all well: `IndexedRedis.testing.clusters.Cluster`.

    A test may kill and pause its nodes.
    """
    from IndexedRedis.testing.clusters import start_cluster

    return _well(running_groups(start_cluster, server.kind))


@pytest.fixture
def sentinels(server: servers.Server, running_groups: Callable[..., Any]) -> Any:
    """An empty primary with two replicas and three sentinels, all well; see `cluster`."""
    from IndexedRedis.testing.clusters import start_sentinels

    return _well(running_groups(start_sentinels, server.kind))


def _well(group: Any) -> Any:
    group.heal()
    group.clear()
    return group


@pytest.fixture
def full(request: pytest.FixtureRequest) -> bool:
    """Whether `--full` was given: what is left to chance is then tried more often."""
    return bool(request.config.getoption('--full'))


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


@pytest.fixture(autouse=True)
def _default_connection() -> Iterator[None]:
    """Give the next test the library's defaults, whatever this one has set."""
    import IndexedRedis as IR

    before = IR.getDefaultRedisConnectionParams()
    yield
    if IR.getDefaultRedisConnectionParams() != before:
        IR.setDefaultRedisConnectionParams(before)
        IR.clearRedisPools()


@pytest.fixture
def redis_params(server: servers.Server) -> Iterator[dict[str, Any]]:
    """Connection parameters of an empty server, which is also the library's default."""
    import IndexedRedis as IR

    server.keeper.flushall()
    more = {'cluster': True} if server.clustered else {}
    IR.setDefaultRedisConnectionParams({**server.params, **more})
    yield dict(server.params)


@pytest.fixture
def telling_server(server: servers.Server) -> servers.Server:
    """A server whose clients can be told of changes; tests that take it are skipped on others."""
    return server


@pytest.fixture
def raw(redis_params: dict[str, Any], server: servers.Server) -> Iterator[redis.Redis]:
    """A plain redis-py client that gives bytes."""
    with contextlib.closing(server.client()) as client:
        yield client
