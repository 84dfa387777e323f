"""What is stored with the data of a mirror that has watermarks.

The rule: it counts only for the same selects, fields and rules; otherwise all data is read again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import func, select

from ..follow.keyed import columns_of, named_rows
from ..follow.stamp import stored_words
from ..guards import Rules
from ..source import Source
from .marks import Clock, FullRunError, Mark, marked

__all__ = ('Words', 'definition_of', 'words_of_all')


class Words(NamedTuple):
    """How far each select was read, by ``KEY_NAME``.

    :param definition: of selects, fields and rules
    :param runs: how many runs there were since all keys were compared
    """

    definition: str
    marks: Mapping[str, Mark]
    runs: int = 0

    def as_dict(self) -> dict[str, Any]:
        """Return plain values."""
        marks = {name: mark.texts() for name, mark in self.marks.items()}
        return {'definition': self.definition, 'marks': marks, 'runs': self.runs}

    @classmethod
    def stored(cls, sources: Sequence[Source], rules: Rules) -> tuple[str, Words]:
        """Return the stamp that the stored data has, and its words.

        :raises FullRunError: if it has none, or those of another mirror
        """
        found = stored_words([source.model for source in sources])
        try:
            text, _, words = found or ('', '', {})
            marks = {name: Mark.of_texts(*texts) for name, texts in words['marks'].items()}
            stored = cls(words['definition'], marks, words['runs'])
        except (LookupError, TypeError, ValueError, ArithmeticError):
            reason = 'the stored data does not say how far it was read'
            raise FullRunError(reason) from None
        if stored.definition != definition_of(sources, rules):
            raise FullRunError('the mirror, or a model, was defined in another way')
        return text, stored


def words_of_all(sources: Sequence[Source], rules: Rules, snapshot: Any, clock: Clock) -> Words:
    """Return what to store once all rows are read.

    :param snapshot: in which they are read
    """
    marks = {}
    try:
        before = Words.stored(sources, rules)[1].marks
    except FullRunError:
        before = {}
    for source in sources:
        if source.watermark is None:
            continue
        columns = columns_of(snapshot, source.name, source.every_row)
        _, by_name = named_rows(source.every_row, columns)
        watermark = by_name[source.named('changed', source.watermark, columns)]
        name = f'{source.name}.{source.watermark}'
        with snapshot.told(name):
            highest = snapshot.connection.execute(select(func.max(watermark))).scalar()
        key_name = source.model.KEY_NAME
        try:
            mark = marked(name, [highest], before.get(key_name, Mark()), source.overlap, clock)
        except FullRunError:
            mark = marked(name, [highest], Mark(), source.overlap, clock)
        marks[key_name] = mark._replace(left=None, stored=None)
    return Words(definition_of(sources, rules), marks)


def definition_of(sources: Sequence[Source], rules: Rules) -> str:
    """Return a digest of what stored rows depend on, but for the rows of SQL."""
    parts: list[Any] = [rules.dangling, rules.skip_bad, rules.zero_dates]
    for source in sources:
        parts += [source.model.KEY_NAME, source.key, source.watermark, source.tombstone]
        parts += [sorted(source.columns.items(), key=repr), sorted(source.link_columns.items())]
        parts += [sorted(source.defaults), sorted(source.epochs)]
        parts += [(name, _text_of(each)) for name, each in sorted(source.joins.items())]
        parts += [_text_of(source.every_row)]
        parts += [_field(field) for field in source.fields.values()]
        parts += [(name, target.KEY_NAME) for name, target in source.links.items()]
        parts += [sorted(source.model._validated().indexed_names)]
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:16]


def _text_of(statement: Any) -> tuple[str, str]:
    compiled = statement.compile()
    return str(compiled), repr(sorted(compiled.params.items()))


def _field(field: Any) -> tuple[Any, ...]:
    """Return what a field makes of values: its type, and plain settings."""
    plain = {
        name: value.__qualname__ if isinstance(value, type) else repr(value)
        for name, value in vars(field).items()
        if isinstance(value, type | str | int | float | None) and name[0] != '_' and name != 'home'
    }
    return field.name, type(field).__name__, sorted(plain.items())
