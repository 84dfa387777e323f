"""Runs crowds through an event, and judges. The rule: nothing of the library is used to judge."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import redis
from judge.checker import check_model

from clusters import crowd

MODELS = (crowd.Entry, *crowd.SETS.values())


class Crowd:
    """Two processes, one of threads and one of tasks.

    :param params: connection parameters of the library
    :param folder: for a file that says to rest
    """

    def __init__(self, params: dict[str, Any], folder: Path) -> None:
        self._hold = folder / 'hold'
        self._hold.unlink(missing_ok=True)
        for kind, model in crowd.SETS.items():
            model.connectAlt(params).reset(crowd.rows(kind, 1))
        environment = {**os.environ, 'PYTHONPATH': os.pathsep.join(filter(None, sys.path))}
        command = [sys.executable, '-m', 'clusters.crowd', json.dumps(params)]
        self._processes = [
            subprocess.Popen(
                [*command, kind, str(self._hold)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                env=environment,
                text=True,
            )
            for kind in crowd.SETS
        ]
        for process in self._processes:
            assert process.stdout.readline() == 'ready\n'

    def rounds(self) -> list[int]:
        """How many rounds each member has completed."""
        return [count for count, _ in self._states()]

    def _states(self) -> list[tuple[int, bool]]:
        for process in self._processes:
            process.stdin.write('how\n')
            process.stdin.flush()
        return [each for proc in self._processes for each in json.loads(proc.stdout.readline())]

    def _busy(self) -> bool:
        return any(busy for _, busy in self._states())

    def work(self, rounds: int = 5, seconds: float = 30) -> None:
        """Wait until each member has completed some more rounds, or the time is over."""
        before, end = self.rounds(), time.monotonic() + seconds
        while time.monotonic() < end and any(
            now < then + rounds for now, then in zip(self.rounds(), before, strict=True)
        ):
            time.sleep(0.05)

    @contextmanager
    def resting(self, primary: Any, replicas: int) -> Iterator[None]:
        """Nobody writes, and the replicas of the primary have all, when the block begins."""
        self._hold.touch()
        try:
            end = time.monotonic() + 10
            with primary.client(socket_timeout=15) as client:
                while self._busy():
                    assert time.monotonic() < end, 'the writers do not rest'
                    time.sleep(0.05)
                client.set('{crowd}mark', 1)
                assert client.wait(replicas, 10_000) >= replicas, 'the replicas do not catch up'
            yield
        finally:
            self._hold.unlink()

    def end(self) -> list[dict[str, Any]]:
        """End it; return the notes of all members."""
        notes = []
        for process in self._processes:
            out, _ = process.communicate('end\n', timeout=60)
            notes += json.loads(out)
        return notes

    def kill(self) -> None:
        """End the processes."""
        for process in self._processes:
            process.kill()
            process.communicate()


def verdict(notes: list[dict[str, Any]], client: redis.Redis) -> dict[str, Any]:
    """What went wrong, and how long the longest gap was.

    :param client: of the server that has the models' keys
    """
    wrong = [what for each in notes for what in each['wrong']]
    for model in MODELS:
        wrong += check_model(client, model)
    return {
        'errors': [f'{each["role"]}, {error}' for each in notes for error in each['errors']],
        'wrong': wrong,
        'lost': [*_lost_entries(notes, client), *_lost_editions(notes, client)],
        'gap': {each['role']: round(each['gap'], 2) for each in notes},
        'rounds': {each['role']: each['rounds'] for each in notes},
    }


def _stored(client: redis.Redis, model: Any) -> list[dict[bytes, bytes]]:
    prefix = f'_ir_|{model.KEY_NAME}:'
    return [client.hgetall(f'{prefix}data:{int(pk)}') for pk in client.smembers(f'{prefix}keys')]


def _lost_entries(notes: list[dict[str, Any]], client: redis.Redis) -> list[str]:
    found: dict[str, list[int]] = {}
    for row in _stored(client, crowd.Entry):
        found.setdefault(row[b'name'].decode(), []).append(int(row[b'n']))
    wanted = {name: n for each in notes for name, n in each['entries'].items()}
    lost = [f'{name}: not written by anybody' for name in found if name not in wanted]
    for name, n in wanted.items():
        stored = found.get(name, [])
        if len(stored) > 1:
            lost.append(f'{name}: stored {len(stored)} times')
        elif n != 'unknown' and stored != ([] if n is None else [n]):
            lost.append(f'{name}: {stored} is stored, {n} was acknowledged')
    return lost


def _lost_editions(notes: list[dict[str, Any]], client: redis.Redis) -> list[str]:
    lost = []
    for kind, model in crowd.SETS.items():
        (tried,) = (each['editions'] for each in notes if each['role'] == f'{kind} resetter')
        stored = {int(row[b'edition']) for row in _stored(client, model)}
        if len(stored) != 1 or not stored <= {*tried}:
            lost.append(f'{kind}: editions {stored} are stored, {tried} was acknowledged')
    return lost
