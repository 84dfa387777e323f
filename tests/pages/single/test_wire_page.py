"""The page about the wire shows what is sent: its examples run here, on a real server, in order.

A block of commands is compared with what went out during the Python block above it; ``...`` stands
for any number of words. Where no block of commands follows, nothing is compared. On a failure the
message holds the block as it should be.
"""

from __future__ import annotations

import itertools
import pathlib
import re
from collections.abc import Iterator
from typing import Any

import msgpack
import pytest

from IndexedRedis._core.mapping.resp import unpacked
from IndexedRedis._core.script import BY_SHA, load_all
from IndexedRedis._core.writes.inserts import draws
from IndexedRedis.executors import exchange, sync
from IndexedRedis.executors.topology.single import IS_CLUSTERED

PAGE = pathlib.Path(__file__).parents[3] / 'docs' / 'explanation' / 'wire.rst'
BLOCK = re.compile(r'^\.\. code-block:: (python|text)\n\n((?:(?: {3}.*)?\n)+)', re.MULTILINE)
ARRAY = b'\xdd'  # how one begins in MessagePack
BY_TEXT = {script.text: script for script in load_all()}
BASE, TOKEN = re.compile(r'^_ir_\|Song:'), re.compile(r'\b[0-9a-f]{32}\b')
REPLID = re.compile(r'\b[0-9a-f]{40}\b')


def blocks(page: str) -> Iterator[tuple[str, str | None]]:
    """Each Python block, with the block of commands that follows it."""
    found = [(kind, re.sub('^ {3}', '', text, flags=re.M)) for kind, text in BLOCK.findall(page)]
    for (kind, text), (next_kind, following) in itertools.pairwise([*found, ('python', '')]):
        if kind == 'python':
            yield text, following if next_kind == 'text' else None


def word(argument: Any) -> str:
    if isinstance(argument, bytes) and argument.startswith(ARRAY):
        return f'[{" ".join(map(word, msgpack.unpackb(argument, raw=True)))}]'
    text = argument.decode() if isinstance(argument, bytes) else str(argument)
    text = REPLID.sub('REPLID', TOKEN.sub('TOKEN', text))
    return BASE.sub('K:', text) or "''"


def line(command: tuple[Any, ...]) -> str:
    """A command as the page shows it: scripts by name, their KEYS and ARGV told apart."""
    command = unpacked(command)
    if command[0] not in ('EVALSHA', 'EVAL'):
        return ' '.join(map(word, command))
    script = (BY_SHA if command[0] == 'EVALSHA' else BY_TEXT)[command[1]]
    keys, args = command[3 : 3 + command[2]], command[3 + command[2] :]
    told = [command[0], script.name, 'KEYS', *map(word, keys)]
    return ' '.join([*told, 'ARGV', *map(word, args)] if args else told)


def trip(batch: Any) -> str:
    return '\n'.join(line(command) for command in batch.commands)


def matches(shown: str, sent: list[str]) -> bool:
    """Whether a block shows these trips, wherever its lines are broken."""
    trips = [re.escape(' '.join(part.split())) for part in re.split(r'\n\s*\n', shown.strip())]
    pattern = '\n'.join(trips).replace(re.escape('...'), '.*')
    return bool(re.fullmatch(pattern, '\n'.join(' '.join(each.split()) for each in sent), re.S))


@pytest.fixture
def sent(raw: Any, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The batches that went out, as the page shows them; the server knows the scripts already."""
    for script in load_all():
        raw.script_load(script.text)
    monkeypatch.setattr(draws, '_free', [])  # so that the first draw has the number 1
    trips: list[str] = []
    pack = exchange.pack

    def recording(batch: Any) -> bytes:
        if batch is not IS_CLUSTERED:
            trips.append(trip(batch))
        return pack(batch)

    for module in (exchange, sync):
        monkeypatch.setattr(module, 'pack', recording)
    return trips


def test_the_commands_are_those_of_the_page(sent, watch_models):
    scope: dict[str, Any] = {}
    compared = 0
    for code, shown in blocks(PAGE.read_text('utf-8')):
        sent.clear()
        exec(code, scope)
        watch_models(scope['Song'])
        if shown is not None:
            compared += 1
            actual = '\n\n'.join(sent)
            assert matches(shown, sent), f'{PAGE.name} should say, after\n{code}\n{actual}'
    assert compared > 8
    assert len(scope['Song'].objects.all()) == 2 + 900  # the examples did what the page says


@pytest.mark.parametrize(
    ('shown', 'does'),
    [
        ('A 1\n\nB\n  2', True),
        ('A ...\n\nB 2', True),
        ('A 1 B 2', False),
        ('A 1', False),
        ('A 1\n\nB 3', False),
    ],
)
def test_a_block_is_compared_trip_by_trip(shown, does):
    assert matches(shown, ['A 1', 'B 2']) is does
