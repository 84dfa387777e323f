"""What the process of a run and its workers tell each other, pickled, over a pipe for each worker.

The rule: both sides always read, each in a thread, so that none waits for the other to read.
"""

from __future__ import annotations

import pickle
import traceback
from typing import Any, NamedTuple

from .cuts import Cut

__all__ = (
    'Alive',
    'All',
    'Begin',
    'Done',
    'Failed',
    'Keys',
    'Load',
    'Over',
    'Ready',
    'Rows',
    'failure_of',
)


class Ready(NamedTuple):
    """The worker has done what it was asked for: it is connected, or its transaction began."""


class Alive(NamedTuple):
    """The worker runs."""


class Rows(NamedTuple):
    """The worker has read more rows of a source."""

    source: int
    rows: int


class Keys(NamedTuple):
    """Some keys of one worker's rows, with the pks of their objects, for the other workers.

    :param source: the number of the source
    :param packed: a pickled pair of keys and pks
    :param stored: pickled keys as the model stores them, where they differ
    """

    source: int
    packed: bytes
    stored: bytes = b''


class Done(NamedTuple):
    """The worker has staged its part of a source, and sent its keys.

    :param figures: the counts by their names
    :param examples: the texts of bad rows and of dangling links
    :param seconds: those of each phase since the worker began
    :param unused: the keys in a join table that no row of this worker has, by link
    """

    source: int
    figures: dict[str, int]
    examples: dict[str, list[str]]
    seconds: dict[str, float]
    unused: dict[str, list[Any]]


class Failed(NamedTuple):
    """The worker ends with an error.

    :param text: type and text of the error
    :param packed: the pickled error; empty if it cannot be pickled
    :param trace: where it was raised
    """

    text: str
    packed: bytes
    trace: str


class Begin(NamedTuple):
    """Begin the transaction.

    :param moment: what it begins with; see :mod:`.moment`
    """

    moment: str


class Load(NamedTuple):
    """Read, convert and stage.

    :param edition: what the rows are staged into
    :param cuts: how each source is cut, in the order of the sources
    """

    edition: Any
    cuts: list[Cut]


class All(NamedTuple):
    """All workers have staged their parts of a source, and the keys of the others were sent."""

    source: int


class Over(NamedTuple):
    """The worker is not needed any more."""


def failure_of(error: BaseException) -> Failed:
    """Return the message about an error."""
    text = f'{type(error).__name__}: {error}'
    try:
        packed = pickle.dumps(error)
        pickle.loads(packed)  # a class of errors with more parameters fails here only
    except Exception:
        packed = b''
    return Failed(text, packed, ''.join(traceback.format_exception(error)))
