"""Choose the source of the pks of a query."""

from __future__ import annotations

from ...expressions.boxes import TooManyBoxesError, boxes_of
from ...expressions.sets import plain_expressions, terms_of
from ...expressions.tree import And, Node
from ...keys import Keys
from .any_of import AnyOf
from .base import Source
from .evaluated import Evaluated
from .one import One, living
from .union import Union, united_sets

__all__ = ('sources',)


def sources(keys: Keys, filters: tuple[Node, ...], excluding_dead: bool = True) -> list[Source]:
    """Return where the pks come from that match filters; nowhere if none can.

    There is one source, or several where a value has several stored forms.

    :param excluding_dead: leave out pks of deleted objects, which 6.0.3 could leave in index sets;
        always done unless the filters are plain
    """
    plain = plain_expressions(keys, filters)
    if plain is not None:
        return [One(living(each) if excluding_dead else each) for each in plain]
    united = united_sets(keys, filters[0]) if len(filters) == 1 else None
    if united and len(united) > 1:
        return [Union(keys, united)]
    node = And(filters)
    try:
        terms = terms_of(keys, boxes_of(node))
    except TooManyBoxesError:
        terms = None
    if terms is None:
        return [Evaluated(keys, node)]
    if len(terms) == 1 and terms[0].pks is None:
        return [One(living(terms[0].sets))]
    return [AnyOf(keys, terms)] if terms else []
