"""What speaks against a swap, counted by model, with the first examples.

The rule: all of it is collected before anything is refused, so that one run tells everything.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, NamedTuple

from ..errors import GuardRefusedError

__all__ = ('EXAMPLES', 'Rules', 'Tally', 'refuse')

EXAMPLES = 10


class Rules(NamedTuple):
    """What a mirror lets pass."""

    dangling: str
    skip_bad: bool
    allow_empty: bool | Collection[Any]
    max_drop: float | None

    def empty_is_fine(self, model: Any) -> bool:
        """Whether a select of this model may give nothing."""
        if isinstance(self.allow_empty, bool):
            return self.allow_empty
        return model in self.allow_empty


class Tally:
    """What was counted of one model.

    :param model: the model
    :param stored: how many objects it has before the run
    """

    def __init__(self, model: Any, stored: int) -> None:
        self.model, self.name, self.stored = model, model.__name__, stored
        self.read = self.made = self.size = 0
        self.bad = self.dangling = self.skipped = 0
        self._examples: dict[str, list[str]] = {'bad': [], 'dangling': []}

    def note_bad(self, text: str) -> None:
        """Count a row that is no object."""
        self.bad += 1
        self._example('bad', text)

    def note_dangling(self, text: str) -> None:
        """Count a link that leads to no row."""
        self.dangling += 1
        self._example('dangling', text)

    def _example(self, kind: str, text: str) -> None:
        if len(self._examples[kind]) < EXAMPLES:
            self._examples[kind].append(text)

    def examples(self, kind: str) -> str:
        """The first examples, one a line."""
        return ''.join(f'\n  {text}' for text in self._examples[kind])

    def refusals(self, rules: Rules) -> list[str]:
        """What speaks against the swap as far as this model is concerned."""
        found = []
        if self.bad and not rules.skip_bad:
            text = f'{self.name}: {self.bad:,} rows do not fit (skipBad leaves such rows out):'
            found.append(text + self.examples('bad'))
        if self.dangling and rules.dangling == 'refuse':
            what = f'{self.dangling:,} links lead to no row'
            text = f"{self.name}: {what} (dangling='null' or 'skip' lets them pass):"
            found.append(text + self.examples('dangling'))
        if not self.made and not rules.empty_is_fine(self.model):
            found.append(f'{self.name}: nothing to store, of {self.read:,} rows (allowEmpty).')
        elif rules.max_drop is not None and self._drop() > rules.max_drop:
            found.append(
                f'{self.name}: {self.made:,} objects would take the place of {self.stored:,}, a '
                f'drop of {self._drop():.0f} % (maxDrop={rules.max_drop:g}).'
            )
        return found

    def _drop(self) -> float:
        # One that is allowed to be empty has said so.
        return 100 * (1 - self.made / self.stored) if self.made and self.stored else 0


def refuse(problems: list[str]) -> None:
    """Raise if there are problems.

    :raises GuardRefusedError: with all of them
    """
    if problems:
        raise GuardRefusedError(problems)
