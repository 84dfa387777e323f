"""The time stamp of mirrored data: when it was read, and how far it is that of the database.

The rule: the moment and all words about it are one text, which the script that writes the data
stores. So they are never those of other data, and a reset by another program removes them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from ... import INDEXED_REDIS_PREFIX
from ...managers.manager import send

__all__ = ('FollowStatus', 'stored_stamp', 'stored_words', 'with_status', 'with_words')

MARK = '|'  # between the moment and the rest
# What the rest lacks: the moment, and what only one process knows.
NOT_STORED = ('mirrored', 'waits')


@dataclass
class FollowStatus:
    """How far a mirror follows its database: plain numbers and texts.

    ``name`` is that of the mirror in the database, and ``position`` says which commits are applied.
    ``mirrored`` is when the data was read, ``lastCommit`` when the last applied commit happened,
    both in ISO 8601. ``commits`` and ``rows`` count what was applied since the mirror follows,
    ``swaps`` the times that all data was replaced, ``leftOut`` the rows that the rules left out.
    ``skipBad`` says whether rows that do not fit may be left out of the stored data.
    ``lagBytes`` is how much of the database's log was not applied yet. ``waits`` says why no
    process follows at the moment; it is empty while one does.
    """

    name: str = ''
    position: str = ''
    mirrored: str = ''
    lastCommit: str = ''
    commits: int = 0
    rows: int = 0
    swaps: int = 0
    leftOut: int = 0
    skipBad: bool = False
    lagBytes: int = 0
    waits: str = ''

    @property
    def ageSeconds(self) -> float | None:
        """How old the data is, by the clock of this computer; None if that is unknown."""
        if not self.mirrored:
            return None
        read = datetime.fromisoformat(self.mirrored)
        return round((datetime.now(UTC) - read).total_seconds(), 3)

    def asDict(self) -> dict[str, Any]:
        """Return the status as plain values that JSON can hold."""
        return {**asdict(self), 'ageSeconds': self.ageSeconds}


def with_words(moment: str, words: Mapping[str, Any]) -> str:
    """Return a stamp.

    :param moment: when the data was read, in ISO 8601
    :param words: plain values
    """
    return moment + MARK + json.dumps(words, separators=(',', ':'))


def stored_words(models: Sequence[Any]) -> tuple[str, str, dict[str, Any]] | None:
    """Return the stamp that the data of all models has, its moment and its words; None if they
    differ, or have no words."""
    names = [f'{INDEXED_REDIS_PREFIX}{model.KEY_NAME}:tmp:mirrored' for model in models]
    texts = {*send(models[0], 'MGET', *names)}  # in one moment
    text = (texts.pop() if len(texts) == 1 else None) or b''
    moment, mark, rest = text.decode('utf-8', 'replace').partition(MARK)
    try:
        words = json.loads(rest) if mark else None
    except ValueError:
        words = None
    return (text.decode('utf-8'), moment, words) if isinstance(words, dict) else None


def with_status(status: FollowStatus) -> str:
    """Return the stamp of a status."""
    words = {name: value for name, value in asdict(status).items() if name not in NOT_STORED}
    return with_words(status.mirrored, words)


def stored_stamp(models: Sequence[Any]) -> tuple[str, FollowStatus] | None:
    """Return the stamp that the data of all models has, and its status; None if they differ, or
    the data is not followed."""
    stored = stored_words(models)
    if stored is None:
        return None
    text, moment, words = stored
    try:
        return text, FollowStatus(mirrored=moment, **words)
    except TypeError:  # words of something else, or of another version
        return None
