"""One process of one subject: ``worker.py KIND WHERE``; KIND is ``models``, ``asyncio`` or ``sql``.

The rule: as for ``pages.py``, this runs under 6.0.3 too. It reads commands from standard input, a
line of JSON each, and answers in kind: ``["answers", page, artists]`` gives the pages,
``["load", page, clients, artists]`` what it took to make them.
"""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path
from time import perf_counter, process_time
from typing import Any

sys.path += [str(Path(__file__).parent), str(Path(__file__).parent.parent)]  # python -I has neither
import pages
from concurrency_load import in_tasks, in_threads

CONNECTIONS = 16


def serve(known: dict[str, Any]) -> None:
    """Answer each command."""
    for text in sys.stdin:
        what, name, *rest = json.loads(text)
        if what == 'load':
            reply(_load(*in_threads(known[name], *rest)))
        else:
            reply([known[name](artist) for artist in rest[0]])


async def serve_tasks(known: dict[str, Any]) -> None:
    """The same on an event loop, which has nothing else to do between the commands."""
    for text in sys.stdin:
        what, name, *rest = json.loads(text)
        if what == 'load':
            reply(_load(*await in_tasks(known[name], *rest)))
        else:
            reply([await known[name](artist) for artist in rest[0]])


def _load(began: tuple[float, float], times: list[float]) -> dict[str, Any]:
    elapsed, worked = perf_counter() - began[0], process_time() - began[1]
    return {'seconds': elapsed, 'cpu': worked, 'times': times}


def reply(answer: Any) -> None:
    """Write an answer."""
    print(json.dumps(answer), flush=True)


def our_models(port: int) -> Any:
    """The models, living on that server."""
    import models

    from IndexedRedis import setDefaultRedisConnectionParams

    setDefaultRedisConnectionParams({'host': '127.0.0.1', 'port': port, 'db': 0})
    return models


if __name__ == '__main__':
    kind, where = sys.argv[1:]
    if kind == 'sql':
        from sqlalchemy import create_engine

        serve(pages.of_sql(create_engine(where, pool_size=CONNECTIONS)))
    elif kind == 'models':
        serve(pages.of_models(our_models(int(where))))
    else:
        asyncio.run(serve_tasks(pages.of_models_in_tasks(our_models(int(where)))))
