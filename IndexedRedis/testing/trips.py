"""Counting round trips; the commands are shown as they were sent, scripts by name."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

from ..connections import Trip, recordTrips

__all__ = ('assertNumRoundTrips', 'shown')

TRIPS_SHOWN = 50
COMMANDS_SHOWN = 4
ARGUMENT_LENGTH = 40
LINE_LENGTH = 160


@contextlib.contextmanager
def assertNumRoundTrips(number: int) -> Iterator[list[Trip]]:
    """Fail if the block makes another number of round trips to the server.

    What counts is what models do in this process meanwhile, in all threads and tasks. Chunks that
    overlap on the wire are one trip; retries and the loading of scripts are none.

    :param number: how many there should be
    :returns: as context manager the list of trips, each the list of its commands, up to now
    :raises AssertionError: with the commands sent, if the number is another
    """
    __tracebackhide__ = True  # pytest then shows the line of the test
    with recordTrips() as trips:
        yield trips
    if len(trips) != number:
        raise AssertionError(f'{_trips(number)} expected, {len(trips)} made{shown(trips)}')


def _trips(number: int) -> str:
    return f'{number} round trip{"" if number == 1 else "s"}'


def shown(trips: list[Trip]) -> str:
    """Return the commands of trips as text, a paragraph each."""
    texts = [f'\n  {place}. {_shown_trip(trip)}' for place, trip in enumerate(trips, 1)]
    more = len(trips) - TRIPS_SHOWN
    end = f'\n  ... and {more} more' if more > 0 else ''
    return (':' if trips else '.') + ''.join(texts[:TRIPS_SHOWN]) + end


def _shown_trip(trip: Trip) -> str:
    lines = [_shown_command(command) for command in trip[:COMMANDS_SHOWN]]
    if len(trip) > COMMANDS_SHOWN:
        lines.append(f'... and {len(trip) - COMMANDS_SHOWN} more commands')
    return '\n     '.join(lines)


def _shown_command(command: tuple[Any, ...]) -> str:
    line = ' '.join(map(_shown_argument, command))
    return line if len(line) <= LINE_LENGTH else f'{line[: LINE_LENGTH - 4]} ...'


def _shown_argument(argument: Any) -> str:
    if not isinstance(argument, bytes):
        text = str(argument)
    else:
        text = argument[: 4 * ARGUMENT_LENGTH].decode('utf-8', 'backslashreplace')
    text = text if text.isprintable() and text else repr(text)
    return text if len(text) <= ARGUMENT_LENGTH else f'{text[: ARGUMENT_LENGTH - 3]}...'
