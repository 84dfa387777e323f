"""The systems that answer the shop's questions: this library, and the SQL databases at hand.

The rule: a database is left out where its programs or its driver are missing, and the reason shown.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from sqlalchemy import Engine, create_engine

from .. import setDefaultRedisConnectionParams
from ..embedded import EmbeddedServer
from ..errors import EmbeddedServerError
from ..testing.databases import KINDS, Database, fresh, missing
from . import data
from .questions import FromRedis, FromSql

NAMES = {'mariadb': 'MariaDB', 'postgresql': 'PostgreSQL'}
# So that a mirror can follow it.
CONFIG = {'postgresql': {'wal_level': 'logical'}}
LEFT_OUT = {
    'mariadb': 'MariaDB is left out',
    'postgresql': 'PostgreSQL is left out, and its live commits',
}
OURS = 'IndexedRedis'

Pages = FromRedis | FromSql


class System(NamedTuple):
    """A system, and how to reach it; a process that measures it gets this.

    :param redis: connection parameters, for the models
    :param url: of SQLAlchemy
    """

    name: str
    redis: Mapping[str, Any] | None = None
    url: str = ''

    def open(self, stack: ExitStack, clients: int = 1) -> Pages:
        """Return the pages of this system; the stack closes what they use.

        :param clients: how many threads will ask at a time
        """
        if self.redis is not None:
            setDefaultRedisConnectionParams(dict(self.redis))
            return FromRedis()
        engine = create_engine(self.url, pool_size=clients)
        stack.callback(engine.dispose)
        return FromSql(engine)


@dataclass
class Shop:
    """The shop in SQL, in all databases that this machine has.

    :param engine: on SQLite, which is mirrored
    :param engines: on all of them, by name
    :param left_out: sentences about the others
    """

    engine: Engine
    engines: dict[str, Engine]
    left_out: list[str] = field(default_factory=list)

    @property
    def versions(self) -> list[str]:
        """Return the databases with their versions."""
        shown = []
        for name, engine in self.engines.items():
            with engine.connect():  # which asks for the version
                pass
            numbers = engine.dialect.server_version_info or ()
            shown.append(f'{name} {".".join(map(str, numbers))}')
        return shown

    def systems(self, server: EmbeddedServer) -> list[System]:
        """Return all systems, ours first."""
        return [
            System(OURS, server.params),
            *(System(name, url=str(engine.url)) for name, engine in self.engines.items()),
        ]


def open_shop(folder: Path, stack: ExitStack, servers: bool = True) -> Shop:
    """Make the shop in SQL; the stack stops and removes everything.

    :param folder: for the file of SQLite
    :param servers: whether to start database servers too
    """
    engine = data.build(folder / 'shop.sqlite')
    stack.callback(engine.dispose)
    shop = Shop(engine, {'SQLite': engine})
    for kind in KINDS if servers else ():
        if lacking := missing(kind):
            shop.left_out.append(f'{LEFT_OUT[kind]}: {lacking}.')
            continue
        try:
            server = Database(kind, CONFIG.get(kind))
        except EmbeddedServerError as error:
            first, *_ = str(error).splitlines()
            shop.left_out.append(f'{LEFT_OUT[kind]}: {first}')
            continue
        stack.callback(server.stop)
        shop.engines[NAMES[kind]] = fresh(server, 'shop')
        stack.callback(shop.engines[NAMES[kind]].dispose)
        data.fill(shop.engines[NAMES[kind]])
    return shop
