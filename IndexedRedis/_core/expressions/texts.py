"""Trees as text: as sentences, and as the arguments of ``filter()``."""

from __future__ import annotations

from collections.abc import Sequence

from ...fields.null import IR_NULL_BYTES
from ..text import shorten, shown, text_of
from .tree import And, HasPk, InRange, InSets, Linked, Node, Not, Or

__all__ = ('arguments_of', 'text_of_tree')

VALUES_SHOWN = 3
NODES_SHOWN = 8


def text_of_tree(node: Node, inner: bool = False) -> str:
    """Return a tree as text: ``genre = Rock or not (year = 1980 and artist = Abba)``.

    :param inner: whether to put it in brackets if it needs them
    """
    if isinstance(node, Not):
        return f'not {text_of_tree(node.node, True)}'
    if isinstance(node, (And, Or)):
        if len(node.nodes) == 1:
            return text_of_tree(node.nodes[0], inner)
        if not node.nodes:
            return 'all objects' if isinstance(node, And) else 'nothing'
        texts = [text_of_tree(each, True) for each in node.nodes[:NODES_SHOWN]]
        more = len(node.nodes) - NODES_SHOWN
        texts += [f'{more:,} more'] if more > 0 else []
        text = (' and ' if isinstance(node, And) else ' or ').join(texts)
        return f'({text})' if inner else text
    if isinstance(node, Linked):
        return f'{node.column.name} leads to ({text_of_tree(node.node)})'
    if isinstance(node, HasPk):
        return _text_of_values('pk', list(map(shown, node.pks[:VALUES_SHOWN])), len(node.pks))
    if isinstance(node, InRange):
        return _text_of_range(node)
    assert isinstance(node, InSets)
    if node.looked_up is not None:
        pks = len(node.values)
        return f'{text_of_tree(node.looked_up)} [{pks:,} pk{"s" if pks != 1 else ""}]'
    return _text_of_values(
        node.column.name, list(map(shown, node.values[:VALUES_SHOWN])), len(node.values)
    )


def _text_of_range(node: InRange) -> str:
    name, low, high = node.column.name, node.low, node.high
    texts = []
    if low is not None and low.key[1] is not None:
        texts.append(f'{name} >{"=" * low.inclusive} {shown(str(low.key[1]))}')
    if high is not None:
        texts.append(f'{name} <{"=" * high.inclusive} {shown(str(high.key[1]))}')
    if node.null:
        return ' or '.join([*texts, f'{name} is null'])
    return ' and '.join(texts) or f'{name} is not null'


def _text_of_values(name: str, texts: list[str], count: int) -> str:
    if count == 1:
        return f'{name} = {texts[0]}'
    more = f' and {count - VALUES_SHOWN:,} more' if count > VALUES_SHOWN else ''
    return f'{name} in [{", ".join(texts)}{more}]'


def arguments_of(filters: Sequence[Node]) -> str:
    """Return filters as the arguments of ``filter()``: ``Q(a='1') | Q(b='2'), c__ne='3'``."""
    asked = [(each, _asked(each)) for each in filters]
    conditions = [_condition(each) for each, text in asked if text is None]
    return ', '.join([*conditions, *(text for _, text in asked if text is not None)])


def _asked(node: Node) -> str | None:
    """Return a node as ``name=value``; None if it takes operators."""
    if isinstance(node, Not) and not isinstance(node.node, Not):
        positive = _asked(node.node)
        # Only equality has a lookup for its negation.
        if positive is None or '__' in positive.partition('=')[0]:
            return None
        return positive.replace('=', '__ne=', 1)
    if isinstance(node, Linked):
        inner = _asked(node.node)
        return None if inner is None else f'{node.column.name}__{inner}'
    if isinstance(node, HasPk):
        name, values = 'pk', [str(pk) for pk in node.pks[: VALUES_SHOWN + 1]]
    elif isinstance(node, InSets):
        name = node.column.name
        values = [
            'None' if value == IR_NULL_BYTES else repr(text_of(value))
            for value in node.values[: VALUES_SHOWN + 1]
        ]
    elif isinstance(node, InRange):
        return _asked_range(node)
    else:
        return None
    if node.lookup != 'in':
        return f'{name}={values[0]}'
    values[VALUES_SHOWN:] = ['...'] * (len(values) > VALUES_SHOWN)
    return f'{name}__in=[{", ".join(values)}]'


def _asked_range(node: InRange) -> str | None:
    ends = [shorten(repr(each.key[1])) for each in (node.low, node.high) if each is not None]
    if not node.lookup:
        return None
    value = f'({ends[0]}, {ends[1]})' if node.lookup == 'between' else ends[0]
    return f'{node.column.name}__{node.lookup}={value}'


def _condition(node: Node, inner: bool = False) -> str:
    """Return a node as a ``Q``, in brackets if it is ``inner`` and needs them."""
    if isinstance(node, Not):
        return f'~{_condition(node.node, True)}'
    if isinstance(node, (And, Or)) and len(node.nodes) != 1:
        texts = [_condition(each, True) for each in node.nodes[:NODES_SHOWN]]
        texts += ['...'] * (len(node.nodes) > NODES_SHOWN)
        text = (' & ' if isinstance(node, And) else ' | ').join(texts) or 'Q()'
        return f'({text})' if inner and len(texts) > 1 else text
    if isinstance(node, (And, Or)):
        return _condition(node.nodes[0], inner)
    return f'Q({_asked(node)})'
