"""The report of check() and repair(), as text and as plain data. Pure."""

from __future__ import annotations

from collections import Counter
from typing import Any, NamedTuple

from ..text import shorten

__all__ = ('SENTENCES', 'CheckReport', 'Finding')

# Examples of each kind of finding.
EXAMPLES_OF_KIND = 10

# The kinds of findings, in the order of a report, and the sentence of each.
SENTENCES = {
    'row_missing': 'pk {pk} is listed in {key}, but has no hash',
    'row_unlisted': '{key} never expires, but pk {pk} is not listed',
    'row_expiring': '{key} is going to expire, but pk {pk} is listed',
    'entry_stale': '{key} lists pk {pk}, whose {field} is stored as {value}',
    'entry_gone': '{key} lists pk {pk}, which is no stored object',
    'entry_missing': '{key} does not list pk {pk}, whose {field} is stored as {value}',
    'not_unique': '{key} lists {pk}: objects with the same {field}, which is unique',
    'score_wrong': '{key} has another score for pk {pk} than its {field} has, stored as {value}',
    'index_unused': '{key} is the index set of no field in INDEXED_FIELDS',
    'sorted_unused': '{key} is the sorted set of no field in SORTED_FIELDS',
    'counter_low': '{key} holds {value}, which is no number or below a pk in use: {pk}',
    'counter_high': '{key} holds {value}, so no pk is left; the highest pk in use is {pk}',
    'leftover': '{key} is what a dead reset left: {pk}',
    'work_invalid': '{key} lists {pk}, which no reset or save lists there',
    'pk_invalid': '{key} lists {pk}, which is no pk',
    'pk_high': '{key} lists {pk}, which is above the highest pk; store the object anew',
    'key_expiring': '{key} is going to expire',
    'wrong_type': '{key} holds a {field}, which this library never stores there',
    'key_unknown': '{key} does not end in a pk',
    'pk_elsewhere': '{key} lists {pk}, a pk of another partition; store the object anew',
    'value_elsewhere': (
        '{key} stores {value} as {field}, which belongs to another partition; store the object anew'
    ),
    'partition_lost': '{key} is absent: the partition has lost its data; load the data set again',
    'fence_missing': '{key} names no edition, so nothing is written to the partition',
    'fence_behind': '{key} holds {value}, and the true edition is {field}',
    'fence_ahead': '{key} holds {value}, and the pointer still names edition {field}',
    'fence_prepared': '{key} holds {value}, for a reset that is dead',
    'pointer_missing': '{key} is absent, and partitions have data',
    'edition_left': '{key} is of edition {pk}, which is not true, and no reset is to drop it',
}


class Finding(NamedTuple):
    """One thing that is wrong with one key.

    :param kind: one of :data:`SENTENCES`
    :param key: the key
    :param pk: the member or the row
    :param field: name of the field, or of the type of the key
    :param value: the stored bytes; None: nothing is stored
    """

    kind: str
    key: bytes
    pk: bytes = b''
    field: str = ''
    value: bytes | None = None

    @property
    def place(self) -> tuple[bytes, bytes]:
        """Where it is; findings of one kind differ in this."""
        return self.key, self.pk

    def __str__(self) -> str:
        value = 'nothing' if self.value is None else repr(_text(self.value))
        return SENTENCES[self.kind].format(
            key=_text(self.key), pk=_text(self.pk), field=self.field, value=value
        )


def _text(data: bytes) -> str:
    return shorten(data.decode('utf-8', 'backslashreplace'))


class CheckReport:
    """What :meth:`~IndexedRedis.IndexedRedisQuery.check` or ``repair`` found.

    :param model: name of the model
    """

    def __init__(self, model: str) -> None:
        self.model = model
        #: number of objects that were examined
        self.objects = 0
        #: number of entries of index sets and sorted sets that were examined
        self.entries = 0
        #: number of findings of each kind; 0 for a kind that was not found
        self.counts: Counter[str] = Counter()
        #: up to ten sentences for each kind of finding
        self.examples: dict[str, list[str]] = {}
        #: sentences about the server, which no repair changes; they do not count for ``ok``
        self.warnings: list[str] = []
        #: after ``repair``: number of findings that are gone, by kind
        self.repaired: Counter[str] = Counter()
        #: number of links that lead to no stored object, and up to ten sentences about them. ``ok``
        #: does not depend on them, since a program may delete the target of a link.
        self.dangling = 0
        self.danglingExamples: list[str] = []
        # A scan of a set that changes may give a member twice.
        self._noted: set[int] = set()
        self._gone: set[int] = set()

    @property
    def ok(self) -> bool:
        """Whether nothing was found, or everything was repaired."""
        return self.counts == self.repaired

    def note(self, finding: Finding) -> None:
        """Count one finding, once."""
        number = hash((finding.kind, finding.place))
        if number not in self._noted:
            self._noted.add(number)
            self.counts[finding.kind] += 1
            examples = self.examples.setdefault(finding.kind, [])
            if len(examples) < EXAMPLES_OF_KIND:
                examples.append(str(finding))

    def note_repaired(self, finding: Finding) -> None:
        """Count one finding as repaired, once."""
        number = hash((finding.kind, finding.place))
        if number not in self._gone:
            self._gone.add(number)
            self.repaired[finding.kind] += 1

    def note_dangling(self, text: str) -> None:
        """Count one link that leads to no stored object, once."""
        number = hash(text)
        if number not in self._noted:
            self._noted.add(number)
            self.dangling += 1
            if len(self.danglingExamples) < EXAMPLES_OF_KIND:
                self.danglingExamples.append(text)

    def asDict(self) -> dict[str, Any]:
        """Return it as plain data, for json and logs."""
        return {
            'model': self.model,
            'ok': self.ok,
            'objects': self.objects,
            'entries': self.entries,
            'counts': dict(self.counts),
            'examples': {kind: list(texts) for kind, texts in self.examples.items()},
            'repaired': dict(self.repaired),
            'warnings': list(self.warnings),
            'dangling': self.dangling,
            'danglingExamples': list(self.danglingExamples),
        }

    def __str__(self) -> str:
        found = f'{self.counts.total():,}' if self.counts else 'nothing'
        lines = [
            f'{self.model}: {self.objects:,} objects and {self.entries:,} index entries, '
            f'{found} found{self._of_those()}'
        ]
        for kind in (kind for kind in SENTENCES if self.counts[kind]):
            lines.append(f'  {kind}: {self.counts[kind]:,}{self._of_those(kind)}')
            lines += [f'    {text}' for text in self.examples[kind]]
            more = self.counts[kind] - len(self.examples[kind])
            if more:
                lines.append(f'    and {more:,} more')
        if self.dangling:
            lines.append(f'  links that lead to no object: {self.dangling:,}')
            lines += [f'    {text}' for text in self.danglingExamples]
        lines += [f'  warning: {text}' for text in self.warnings]
        return '\n'.join(lines)

    def _of_those(self, kind: str = '') -> str:
        if not self.repaired:
            return ''
        count = self.repaired[kind] if kind else self.repaired.total()
        return f', {count:,} repaired'

    def __repr__(self) -> str:
        state = 'ok' if self.ok else f'{self.counts.total():,} found'
        return f'<CheckReport {self.model}: {state}{self._of_those()}>'
