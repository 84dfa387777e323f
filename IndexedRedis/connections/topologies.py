"""Clusters, Sentinel services and replicas as connection parameters.

Rule: parameters only name where to begin and how to talk to a node. Its pools are made when the
route of a conversation comes to it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import unquote, urlsplit
from weakref import WeakKeyDictionary

from ..errors import ConnectionSetupError

__all__ = (
    'NAMES',
    'as_plain_url',
    'check_topology',
    'is_topology',
    'node_pools',
    'params_of_cluster_client',
)

#: The parameters that name more than one server.
NAMES = (
    'cluster',
    'startup_nodes',
    'address_remap',
    'replicas',
    'sentinels',
    'service_name',
    'sentinel_kwargs',
)

# For one answer, and to connect, of a node that is asked where the others are; of a Sentinel too.
_GUIDE_SECONDS = {'socket_timeout': 1.0, 'socket_connect_timeout': 1.0}
# To connect to a node: a host that is gone for good does not refuse the connection.
_CONNECT_SECONDS = 2.0
# Options of a user's cluster client that its nodes are talked to with.
_OPTIONS = {
    'client_name',
    'credential_provider',
    'decode_responses',
    'encoding',
    'encoding_errors',
    'health_check_interval',
    'password',
    'protocol',
    'socket_connect_timeout',
    'socket_keepalive',
    'socket_keepalive_options',
    'socket_timeout',
    'username',
}
_client_params: WeakKeyDictionary[Any, dict[str, Any]] = WeakKeyDictionary()


def is_topology(params: Mapping[str, Any]) -> bool:
    """Whether parameters name a cluster, a Sentinel service, or replicas."""
    named = params.get('cluster') or params.get('sentinels')
    return bool(named) or params.get('replicas') is not None


def check_topology(params: Mapping[str, Any]) -> None:
    """Check the parameters of a cluster or a Sentinel service.

    :raises ConnectionSetupError: if they cannot be used
    """
    if params.get('sentinels') and not params.get('service_name'):
        raise ConnectionSetupError(
            "Sentinels need the name of their service: add 'service_name': 'mymaster', or end the "
            'URL with it: sentinel://host:port/mymaster.'
        )
    if params.get('replicas') and (params.get('cluster') or params.get('sentinels')):
        raise ConnectionSetupError(
            "A cluster and Sentinels name the replicas themselves. Leave out 'replicas'."
        )
    if isinstance(params.get('replicas'), str):
        raise ConnectionSetupError(
            "'replicas' names hosts and ports, such as [('127.0.0.1', 6380)], not a text. A URL "
            "cannot name them: give them beside it, {'url': ..., 'replicas': [...]}."
        )
    if params.get('replicas') and params.get('unix_socket_path'):
        raise ConnectionSetupError(
            "A server with 'replicas' is named by 'host' and 'port'. Leave out 'unix_socket_path'."
        )
    if params.get('cluster') and (params.get('db') or params.get('unix_socket_path')):
        raise ConnectionSetupError(
            "A cluster has only database 0, and no sockets of files. Leave out 'db' and "
            "'unix_socket_path'."
        )


def as_plain_url(url: str) -> tuple[str, dict[str, Any]]:
    """Return a URL of one server, for redis-py to parse, and what the URL says beyond it.

    ``redis+cluster://host:port``, ``rediss+cluster://...``; ``sentinel://host:port,host:port/name``
    and ``/name/db``, where user, password and options are those of the servers. Other URLs are
    returned as they are.
    """
    parts = urlsplit(url)
    scheme, _, kind = parts.scheme.partition('+')
    if kind == 'cluster':
        return parts._replace(scheme=scheme).geturl(), {'cluster': True}
    if scheme != 'sentinel' and kind != 'sentinel':
        return url, {}
    user, at, hosts = parts.netloc.rpartition('@')
    service, _, db = parts.path.lstrip('/').partition('/')
    sentinels = tuple(map(_address, hosts.split(',')))
    plain = parts._replace(
        scheme='redis' if scheme == 'sentinel' else scheme,
        netloc=f'{user}{at}localhost',
        path=f'/{db}',
    )
    return plain.geturl(), {'sentinels': sentinels, 'service_name': unquote(service)}


def _address(text: str) -> tuple[str, int]:
    parts = urlsplit(f'//{text}')
    if not parts.hostname:
        raise ValueError(text)
    return parts.hostname, parts.port or 26379


def params_of_cluster_client(client: Any) -> dict[str, Any] | None:
    """Return connection parameters for the nodes of a ``RedisCluster``; None for another client.

    The library makes connections of its own to these nodes, so that a client of threads serves
    asyncio too, and the other way round.
    """
    nodes = getattr(client, 'nodes_manager', None)
    if nodes is None:
        return None
    if client not in _client_params:
        given = nodes.connection_kwargs
        params = {
            name: value
            for name, value in given.items()
            if value is not None and (name in _OPTIONS or name.startswith('ssl'))
        }
        if given.get('connection_class', object).__name__ == 'SSLConnection':
            params['ssl'] = True
        params['cluster'] = True
        params['startup_nodes'] = tuple((node.host, node.port) for node in _startup(nodes))
        params['address_remap'] = getattr(nodes, 'address_remap', None)
        _client_params[client] = params
    return _client_params[client]


def _startup(nodes: Any) -> list[Any]:
    return [*nodes.startup_nodes.values()]


def node_pools(params: dict[str, Any], make: Callable[[dict[str, Any]], Any], kind: str) -> Any:
    """Return the pools of the nodes that parameters of a cluster or of Sentinels lead to.

    :param make: makes a pool for the parameters of one server
    :param kind: ``NodePools`` or ``AsyncNodePools``
    """
    from .._core.replication import position_of
    from ..executors.pools import nodes as pools
    from ..executors.pools.greeting import agreeting_of_replica, greeting_of_replica
    from ..executors.topology.nodes import Node, Role
    from ..executors.topology.replicas import Replicas
    from ..executors.topology.slots import slot_of

    own = {name: params[name] for name in NAMES if name in params}
    rest = {name: value for name, value in params.items() if name not in own}
    is_clustered = bool(own.get('cluster'))
    known, seconds = _nodes_of(own, rest)
    seconds = rest.pop('failover_seconds', seconds)
    rest.setdefault('socket_connect_timeout', _CONNECT_SECONDS)
    quick = {**rest, **_GUIDE_SECONDS}
    of_sentinels = {**_GUIDE_SECONDS, **(own.get('sentinel_kwargs') or {})}
    guides = of_sentinels if own.get('sentinels') else quick
    replicas = Replicas()
    greeting = greeting_of_replica if kind == 'NodePools' else agreeting_of_replica

    def pool(node: Node, role: Role) -> Any:
        options = {Role.GUIDE: guides, Role.GAUGE: quick}.get(role, rest)
        if role is Role.REPLICA:
            greet = greeting(is_clustered, lambda told: replicas.check(node, position_of(told)))
            options = {**options, 'redis_connect_func': greet}
        return make({**options, 'host': node.host, 'port': node.port})

    slot = slot_of if is_clustered else _no_slot
    return getattr(pools, kind)(known, pool, seconds, slot, replicas)


def _nodes_of(own: Mapping[str, Any], rest: Mapping[str, Any]) -> tuple[Any, float]:
    """Return what leads to the nodes, and the failover budget.

    :param own: the parameters that name more than one server
    :param rest: the other parameters
    """
    from ..executors.exchange import RETRY_SECONDS
    from ..executors.topology.cluster import ClusterMap
    from ..executors.topology.fixed import FixedMap
    from ..executors.topology.nodes import Node
    from ..executors.topology.route import FAILOVER_SECONDS
    from ..executors.topology.sentinel import SentinelMap

    first = Node(rest.get('host', '127.0.0.1'), rest.get('port', 6379))
    if own.get('sentinels'):
        sentinels = [Node(*each) for each in own['sentinels']]
        return SentinelMap(sentinels, own['service_name']), FAILOVER_SECONDS
    if own.get('cluster'):
        seeds = [Node(*each) for each in own.get('startup_nodes') or [first]]
        return ClusterMap(seeds, own.get('address_remap')), FAILOVER_SECONDS
    # Nobody replaces the primary, so an operation waits for it as for a server that stands alone.
    return FixedMap(first, [Node(*each) for each in own['replicas']]), RETRY_SECONDS


def _no_slot(model: Any) -> None:
    """A server that stands alone takes all models."""
