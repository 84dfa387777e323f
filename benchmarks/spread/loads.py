"""Replace all rows of a model in several processes, which share a reset."""

from multiprocessing import get_context
from typing import Any

from IndexedRedis.managers.editions import Edition, beginEdition, commitEdition, stageEdition


def load_shared(model: Any, rows: list[dict[str, Any]], workers: int) -> None:
    """Replace all rows in so many processes, which make the objects as they are needed.

    :raises SystemExit: if a process fails
    """
    edition, fork = beginEdition([model]), get_context('fork')
    processes = [
        fork.Process(target=_stage, args=(edition, model, rows[at::workers]))
        for at in range(workers)
    ]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    if any(process.exitcode for process in processes):
        raise SystemExit('a worker failed; its error stands above')
    commitEdition(edition, {model: len(rows)})


def _stage(edition: Edition, model: Any, rows: list[dict[str, Any]]) -> None:
    stageEdition(edition, [(model, (model(**row) for row in rows))])
