"""Answers to questions, kept until the server says that what they were read from has changed.

The rule: an answer is given again only while the connection that it came over would have told of
any change, so these are the answers of one connection. Pure: what is sent and read for it is in
``executors/recalling.py`` and ``telling.py``.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Any

from ..._core.flows import Command
from ..._core.mapping.resp import PACKED, unpacked
from ..._core.script import BY_SHA

__all__ = ('Answers', 'Question', 'can_be_kept', 'keys_read')

Question = tuple[Command, ...]
Replies = Sequence[Any]

# Commands that read the one key which comes first, and those whose arguments all are keys.
_OF_ONE_KEY = frozenset(('GET', 'HMGET', 'SCARD', 'SISMEMBER', 'SMISMEMBER'))
_OF_KEYS = frozenset(('EXISTS',))


class Answers:
    """The answers of one connection, the one asked for last at the end."""

    def __init__(self) -> None:
        self._known: dict[Question, tuple[Replies, Collection[bytes]]] = {}
        self._questions: dict[bytes, set[Question]] = {}  # by the keys their answers hang on
        self._most = 0
        #: how often the server has told of changes
        self.told = 0

    def __len__(self) -> int:
        return len(self._known)

    def __contains__(self, question: object) -> bool:
        return question in self._known

    def get(self, question: Question) -> Replies | None:
        """Return an answer; None if it has to be asked for."""
        found = self._known.pop(question, None)
        if found is None:
            return None
        self._known[question] = found
        return found[0]

    def keep(self, question: Question, replies: Replies, most: int) -> None:
        """Remember an answer, if it is known what it was read from.

        :param most: how many answers there may be; of several such numbers the largest holds
        """
        self._forget(question)
        keys = keys_read(question, replies)
        if keys is None:
            return
        self._known[question] = replies, keys
        for key in keys:
            self._questions.setdefault(key, set()).add(question)
        self._most = max(self._most, most)
        if len(self._known) > self._most:
            self._forget(next(iter(self._known)))

    def change(self, keys: Iterable[bytes] | None) -> None:
        """Forget what was read from these keys; from any, if ``None``."""
        self.told += 1
        if keys is None:
            self._known.clear()
            self._questions.clear()
            return
        for key in keys:
            for question in [*self._questions.get(key, ())]:
                self._forget(question)

    def _forget(self, question: Question) -> None:
        _, keys = self._known.pop(question, (None, ()))
        for key in keys:
            others = self._questions[key]
            others.discard(question)
            if not others:
                del self._questions[key]


def can_be_kept(question: Sequence[Command]) -> bool:
    """Whether it can be told what these commands look at; those of shared batches are asked of."""
    return not any(
        command[0] == 'EVALSHA' and BY_SHA[command[1]].reads is None for command in question
    )


def keys_read(question: Question, replies: Replies) -> frozenset[bytes] | None:
    """Return the keys that commands have looked at; None if that cannot be told."""
    keys: set[bytes] = set()
    for command, reply in zip(question, replies, strict=True):
        found = _keys_of(command, reply)
        if found is None:
            return None
        keys.update(found)
    return frozenset(keys)


def _keys_of(command: Command, reply: Any) -> Iterable[bytes] | None:
    name, *args = unpacked(command) if command[0] is PACKED else command
    if name in _OF_ONE_KEY:
        return args[:1]
    if name in _OF_KEYS:
        return args
    script = BY_SHA.get(args[0]) if name == 'EVALSHA' else None
    if script is None or script.reads is None:
        return None
    last = 2 + args[1]
    return [*args[2:last], *script.reads(args[last:], reply)]
