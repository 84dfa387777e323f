"""Texts for messages: values shortened, sizes, near misses."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

__all__ = (
    'bytes_text',
    'moment_in',
    'near_miss',
    'shorten',
    'shown',
    'text_of',
)


# Characters of a value that a message shows.
SHOWN_CHARACTERS = 100


def shorten(text: str) -> str:
    """Return a text, cut after the first 100 characters."""
    return text if len(text) <= SHOWN_CHARACTERS else text[:SHOWN_CHARACTERS] + '...'


def near_miss(name: str, names: Iterable[str]) -> str:
    """Return a hint such as `` Did you mean 'artist'?``, or an empty text."""
    from difflib import get_close_matches  # only for those who mistype

    close = get_close_matches(name, [*names], n=1)
    return f' Did you mean {close[0]!r}?' if close else ''


def text_of(word: Any) -> Any:
    """Return bytes as text, and other values as they are."""
    return word.decode('utf-8', 'backslashreplace') if isinstance(word, bytes) else word


def shown(word: Any) -> str:
    """Return a word as a person would type it, at most a line long."""
    text = shorten(str(text_of(word)))
    return text if text.isprintable() and text and ' ' not in text else repr(text)


def moment_in(stamp: bytes) -> str:
    """Return the moment in a time stamp of a mirror; its own words follow a ``|``."""
    return stamp.partition(b'|')[0].decode('ascii', 'replace')


def bytes_text(count: int | None) -> str:
    """Return a number of bytes in a readable unit; ``?`` if it is None."""
    if count is None:
        return '?'
    size, units = float(count), ['bytes', 'kB', 'MB', 'GB', 'TB']
    while size >= 1000 and len(units) > 1:
        size /= 1000
        units.pop(0)
    return f'{count:,} bytes' if units[0] == 'bytes' else f'{size:.1f} {units[0]}'
