"""The pieces of what the demo shows; the screen and the page each draw them.

The rule: a block holds what was measured, and no drawing of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple


class Fact(NamedTuple):
    """A figure and what it is of; ``right``: whether it is as promised, None if nothing is."""

    figure: str
    text: str
    right: bool | None = None


@dataclass(frozen=True)
class Facts:
    """Figures, one a line."""

    rows: Sequence[Fact]


@dataclass(frozen=True)
class Asked:
    """A question, the code that asks it, and the head of the answer."""

    text: str
    code: str
    answer: str


@dataclass(frozen=True)
class Groups:
    """Milliseconds by question and system."""

    title: str
    names: Sequence[str]
    rows: Sequence[tuple[str, Sequence[float]]]


class Bar(NamedTuple):
    """A bar, with further figures beside it."""

    label: str
    value: float
    figures: Sequence[str]


@dataclass(frozen=True)
class Bars:
    """A bar for each system; ``heads`` are over the figures."""

    title: str
    heads: Sequence[str]
    rows: Sequence[Bar]


class Mark(NamedTuple):
    """A moment that a timeline names."""

    seconds: float
    text: str


@dataclass(frozen=True)
class Timeline:
    """Something a second, in periods of ``step`` seconds, as one series or several."""

    title: str
    step: float
    series: Sequence[tuple[str, Sequence[float]]]
    marks: Sequence[Mark]


@dataclass(frozen=True)
class Text:
    """A paragraph; ``right`` as in :class:`Fact`."""

    text: str
    right: bool | None = None


@dataclass(frozen=True)
class Commands:
    """Commands to type, with what each is for."""

    title: str
    rows: Sequence[tuple[str, str]]


Block = Facts | Asked | Groups | Bars | Timeline | Text | Commands


@dataclass
class Part:
    """A numbered part of the demo."""

    number: int
    title: str
    note: str
    blocks: Sequence[Block] = field(default_factory=list)


def milliseconds(seconds: float) -> str:
    """Return seconds as text, such as ``1.25 ms``."""
    value = seconds * 1000
    return f'{value:.2f} ms' if value < 10 else f'{value:,.0f} ms'
