"""``Q``: a condition that can be combined, for any model."""

from __future__ import annotations

from typing import Any, NamedTuple

from ...errors import UsageError
from ..text import shorten

__all__ = ('Asked', 'Q', 'given')


class Asked(NamedTuple):
    """One ``name=value``, as it was given."""

    name: str
    value: Any

    def __str__(self) -> str:
        return f'{self.name}={shorten(repr(self.value))}'


class Q:
    """A condition to combine: ``Q(genre='Rock') | Q(genre='Jazz')``, ``&`` and ``~``.

    Give it to ``filter()`` or ``exclude()``. It is immutable, belongs to no model, and reads
    nothing. Of several arguments all hold. ``Q()`` says nothing: it changes no condition that it is
    combined with, so a loop can begin with it.

    :param conditions: other conditions
    :param lookups: ``name=value``, or with a lookup ``name__in=[...]``, as of ``filter()``

    >>> from IndexedRedis import Q
    >>> Q(genre='Rock', year=1980) | ~Q(artist__in=['Abba', 'AC/DC'])
    Q(genre='Rock', year=1980) | ~Q(artist__in=['Abba', 'AC/DC'])
    """

    __slots__ = ('_op', '_parts')

    _op: str
    _parts: tuple[Any, ...]

    def __init__(self, /, *conditions: Q, **lookups: Any) -> None:
        asked = [Asked(*item) for item in lookups.items()]
        self._set('&', (*given('Q', conditions), *asked))

    def _set(self, op: str, parts: tuple[Any, ...]) -> None:
        object.__setattr__(self, '_op', op)
        object.__setattr__(self, '_parts', parts)

    def _with(self, op: str, other: Any) -> Any:
        if not isinstance(other, Q):
            return NotImplemented
        if not (self._parts and other._parts):
            return self if self._parts else other
        # Chains such as a | b | c are one level, however long.
        mine = self._parts if self._op == op else (self,)
        return _made(op, (*mine, *(other._parts if other._op == op else (other,))))

    def __or__(self, other: Q) -> Q:
        return self._with('|', other)  # type: ignore[no-any-return]

    def __and__(self, other: Q) -> Q:
        return self._with('&', other)  # type: ignore[no-any-return]

    def __invert__(self) -> Q:
        return _made('~', (self,)) if self._parts else self

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Q):
            return NotImplemented
        return self._key() == other._key()

    def __hash__(self) -> int:
        return hash(self._key())

    def _key(self) -> tuple[Any, ...]:
        # A lone condition is the same with and without a Q around it.
        if len(self._parts) == 1 and self._op != '~' and isinstance(self._parts[0], Q):
            return self._parts[0]._key()
        return (self._op if self._op == '~' or len(self._parts) != 1 else '&', self._parts)

    def __setattr__(self, name: str, value: Any) -> None:
        raise AttributeError(f'a Q is immutable, so {name!r} cannot be set. Make a new one.')

    def __delattr__(self, name: str) -> None:
        raise AttributeError(f'a Q is immutable, so {name!r} cannot be deleted.')

    def __reduce__(self) -> Any:
        return _made, (self._op, self._parts)

    def __bool__(self) -> bool:
        raise TypeError(
            'a Q is neither true nor false. Combine with | and & and ~, not with or, and, not.'
        )

    def __repr__(self) -> str:
        return self._text('')

    def _text(self, around: str) -> str:
        """Return the text of it, in brackets if it stands beside a stronger operator."""
        if self._op == '~':
            return f'~{self._parts[0]._text("~")}'
        names = [each.name for each in self._parts if isinstance(each, Asked)]
        if self._op == '&' and len(names) == len(self._parts) == len({*names}):
            return f'Q({", ".join(map(str, self._parts))})'
        texts = [f'Q({p})' if isinstance(p, Asked) else p._text(self._op) for p in self._parts]
        text = f' {self._op} '.join(texts)
        return text if len(texts) == 1 or around in ('', '|', self._op) else f'({text})'


def _made(op: str, parts: tuple[Any, ...]) -> Q:
    made = Q.__new__(Q)
    made._set(op, parts)
    return made


def given(method: str, conditions: tuple[Any, ...]) -> tuple[Q, ...]:
    """Return conditions that say something.

    :param method: the name of what they are given to, for the message
    :raises UsageError: if one is not a Q
    """
    for each in conditions:
        if not isinstance(each, Q):
            raise UsageError(
                f'{method}() takes Q(...) and name=value, and was given {shorten(repr(each))}.'
            )
    return tuple(each for each in conditions if each._parts)
