"""What the tests on clusters share: crowds that live through an event, and are judged."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from clusters.judging import Crowd, verdict


def pytest_itemcollected(item: pytest.Item) -> None:
    item.add_marker('clusters')


@pytest.fixture
def crowd_on(tmp_path: Path) -> Iterator[Callable[[dict[str, Any]], Crowd]]:
    """`crowd_on(params)`: readers, writers and resetters in two processes, at work."""
    with contextlib.ExitStack() as stack:

        def start(params: dict[str, Any]) -> Crowd:
            crowd = Crowd(params, tmp_path)
            stack.callback(crowd.kill)
            crowd.work()
            return crowd

        yield start


@pytest.fixture
def judge(figures: Callable[..., None]) -> Callable[..., None]:
    """`judge(what, crowd, node)`: let the crowd go on for a while, then fail if it met an error or
    anything that is wrong is stored."""

    def judging(what: str, crowd: Crowd, node_of: Callable[[], Any]) -> None:
        crowd.work(10)
        notes = crowd.end()
        with node_of().client() as client:
            found = verdict(notes, client)
        gap = max(found['gap'].values())
        figures(
            what,
            rounds=sum(found['rounds'].values()),
            errors=len(found['errors']),
            wrong=len(found['wrong']),
            lost=len(found['lost']),
            milliseconds_without_an_answer=round(gap * 1000),
        )
        for kind in ('wrong', 'lost', 'errors'):
            assert not found[kind][:5], f'{kind}, gap {gap} s'

    return judging
