"""The guards of a mirror: what they counted for each model, and what they refuse.

The rule: a run collects every problem before it refuses, so one run reports all of them.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple

from ..errors import GuardRefusedError

__all__ = ('EXAMPLES', 'ModelCounts', 'Rules', 'applies', 'refuse')

# Examples of bad rows, and of dangling links, that a message shows for each model.
EXAMPLES = 10
# What processes that share a run count, but for the rows that were read.
_ADDED = ('made', 'size', 'bad', 'dangling', 'skipped')


class Rules(NamedTuple):
    """What a mirror accepts; see the parameters of :class:`~.mirror.Mirror`."""

    dangling: str
    skip_bad: bool
    allow_empty: bool | Collection[Any]
    max_drop: float | None
    keep_pks: bool | Collection[Any] = False
    zero_dates: str = 'refuse'

    @property
    def leaves_out(self) -> bool:
        """Whether rows may be left out."""
        return self.skip_bad or self.dangling == 'skip'


def applies(rule: bool | Collection[Any], model: Any) -> bool:
    """Return whether a rule for all models, or for some, is one for this model."""
    return rule if isinstance(rule, bool) else model in rule


class ModelCounts:
    """What one run counted for one model.

    :param model: the model
    :param stored: how many objects it stores before the run
    """

    def __init__(self, model: Any, stored: int) -> None:
        self.model, self.name, self.stored = model, model.__name__, stored
        #: rows read, objects made, bytes of their values
        self.read = self.made = self.size = 0
        #: rows that do not fit, links that lead to no row, rows skipped for such a link
        self.bad = self.dangling = self.skipped = 0
        #: by key of a row that is left out, the key of the row that has its unique value
        self.clashing: dict[Any, Any] = {}
        self._examples: dict[str, list[str]] = {'bad': [], 'dangling': []}

    def add_bad(self, text: str) -> None:
        """Count a row that does not fit the model."""
        self.bad += 1
        self._add_example('bad', text)

    def add_dangling(self, text: str) -> None:
        """Count a link that leads to no row."""
        self.dangling += 1
        self._add_example('dangling', text)

    def _add_example(self, kind: str, text: str) -> None:
        if len(self._examples[kind]) < EXAMPLES:
            self._examples[kind].append(text)

    def figures(self) -> dict[str, int]:
        """Return the counts by their names, without ``read``."""
        return {name: getattr(self, name) for name in _ADDED}

    def all_examples(self) -> dict[str, list[str]]:
        """Return the first examples of each kind."""
        return self._examples

    def add(self, figures: Mapping[str, int], examples: Mapping[str, Sequence[str]]) -> None:
        """Add what another process counted.

        :param figures: as of :meth:`figures`
        :param examples: as of :meth:`all_examples`
        """
        for name, count in figures.items():
            setattr(self, name, getattr(self, name) + count)
        for kind, texts in examples.items():
            for text in texts:
                self._add_example(kind, text)

    def examples(self, kind: str) -> str:
        """Return the first examples, one a line."""
        return ''.join(f'\n  {text}' for text in self._examples[kind])

    def refusals(self, rules: Rules) -> list[str]:
        """Return the reasons against the swap of this model."""
        return [*self.misfits(rules), *self._shrinks(rules)]

    def misfits(self, rules: Rules) -> list[str]:
        """Return the reasons that rows and links give."""
        reasons = []
        if self.bad and not rules.skip_bad:
            text = f'{self.name}: {self.bad:,} rows do not fit (skipBad leaves such rows out):'
            reasons.append(text + self.examples('bad'))
        if self.dangling and rules.dangling == 'refuse':
            what = f'{self.dangling:,} links lead to no row'
            text = f"{self.name}: {what} (dangling='null' or 'skip' accepts them):"
            reasons.append(text + self.examples('dangling'))
        return reasons

    def _shrinks(self, rules: Rules) -> list[str]:
        """Return the reason that the number of objects gives."""
        reasons = []
        if not self.made and not applies(rules.allow_empty, self.model):
            reasons.append(f'{self.name}: no object to store; {self.read:,} rows (allowEmpty).')
        elif rules.max_drop is not None and self._drop() > rules.max_drop:
            reasons.append(
                f'{self.name}: {self.made:,} objects would replace {self.stored:,}, a drop of '
                f'{self._drop():.0f} % (maxDrop={rules.max_drop:g}).'
            )
        return reasons

    def warnings(self) -> list[str]:
        """Return what the rules let pass, with examples."""
        kinds = (
            ('bad', 'rows left out', self.bad),
            ('dangling', 'links that lead to no row', self.dangling),
        )
        return [
            f'{self.name}: {count:,} {what}:{self.examples(kind)}'
            for kind, what, count in kinds
            if count
        ]

    def _drop(self) -> float:
        """Return the drop in percent; 0 for an empty data set, which allowEmpty judges."""
        return 100 * (1 - self.made / self.stored) if self.made and self.stored else 0


def refuse(problems: list[str]) -> None:
    """Raise if there are problems.

    :raises GuardRefusedError: with all of them
    """
    if problems:
        raise GuardRefusedError(problems)
