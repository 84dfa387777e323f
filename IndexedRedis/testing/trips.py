"""The count of round trips, with the commands as they were sent, scripts by name."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

from ..connections import Trip, recordTrips

__all__ = ('assertNumRoundTrips', 'shown')

# What a message shows: trips, commands of a trip, characters of an argument and of a command.
MAX_TRIPS = 50
MAX_COMMANDS = 4
MAX_ARGUMENT = 40
MAX_COMMAND = 160


@contextlib.contextmanager
def assertNumRoundTrips(number: int) -> Iterator[list[Trip]]:
    """Fail if the block makes another number of round trips to the server.

    The count covers all models of this process, in all threads and tasks. Chunks that overlap on
    the wire count as one trip; retries and the loading of scripts do not count.

    :param number: the expected number
    :returns: as context manager the list of trips so far, each the list of its commands
    :raises AssertionError: with the commands sent, if the number differs
    """
    __tracebackhide__ = True  # pytest then shows the line of the test
    with recordTrips() as trips:
        yield trips
    if len(trips) != number:
        plural = '' if number == 1 else 's'
        raise AssertionError(
            f'{number} round trip{plural} expected, {len(trips)} made{shown(trips)}'
        )


def shown(trips: list[Trip]) -> str:
    """Return the commands of trips as text, a paragraph each."""
    texts = [f'\n  {place}. {_shown_trip(trip)}' for place, trip in enumerate(trips, 1)]
    more = len(trips) - MAX_TRIPS
    end = f'\n  ... and {more} more' if more > 0 else ''
    return (':' if trips else '.') + ''.join(texts[:MAX_TRIPS]) + end


def _shown_trip(trip: Trip) -> str:
    lines = [_shown_command(command) for command in trip[:MAX_COMMANDS]]
    if len(trip) > MAX_COMMANDS:
        lines.append(f'... and {len(trip) - MAX_COMMANDS} more commands')
    return '\n     '.join(lines)


def _shown_command(command: tuple[Any, ...]) -> str:
    line = ' '.join(map(_shown_argument, command))
    return line if len(line) <= MAX_COMMAND else f'{line[: MAX_COMMAND - 4]} ...'


def _shown_argument(argument: Any) -> str:
    if not isinstance(argument, bytes):
        text = str(argument)
    else:
        text = argument[: 4 * MAX_ARGUMENT].decode('utf-8', 'backslashreplace')
    text = text if text.isprintable() and text else repr(text)
    return text if len(text) <= MAX_ARGUMENT else f'{text[: MAX_ARGUMENT - 3]}...'
