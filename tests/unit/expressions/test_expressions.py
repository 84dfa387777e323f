"""Expression trees against truth tables. The rule: the normal form, the evaluation in the client
and the test of rows all say what the tree says, for each object there can be."""

from __future__ import annotations

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from IndexedRedis._core.expressions import boxes as normal
from IndexedRedis._core.expressions.boxes import MOST_BOXES, PK, TooManyBoxesError, boxes_of
from IndexedRedis._core.expressions.evaluate import evaluated
from IndexedRedis._core.expressions.matching import Matcher
from IndexedRedis._core.expressions.tree import And, HasPk, InSets, Node, Not, Or, atoms_of
from unit.build import define

COLUMNS = define('a', 'b', 'c', indexed=['a', 'b', 'c'])._validated().all
VALUES = [b'x', b'y', b'z']
# One object for each choice of values.
OBJECTS = dict(enumerate(product(VALUES, repeat=len(COLUMNS)), 1))

values = st.lists(st.sampled_from(VALUES), max_size=3).map(tuple)
atoms = st.tuples(st.sampled_from(COLUMNS), values).map(lambda args: InSets(*args))
pk_atoms = st.builds(HasPk, st.lists(st.sampled_from([*OBJECTS, 99]), max_size=4).map(tuple))
trees = st.recursive(
    atoms | pk_atoms,
    lambda inner: st.one_of(
        st.builds(And, st.lists(inner, max_size=4).map(tuple)),
        st.builds(Or, st.lists(inner, max_size=4).map(tuple)),
        st.builds(Not, inner),
    ),
    max_leaves=12,
)


def holds(node: Node, pk: int, row: tuple[bytes, ...]) -> bool:
    """What a tree says of one object, in Python."""
    if isinstance(node, Not):
        return not holds(node.node, pk, row)
    if isinstance(node, And):
        return all(holds(each, pk, row) for each in node.nodes)
    if isinstance(node, Or):
        return any(holds(each, pk, row) for each in node.nodes)
    if isinstance(node, HasPk):
        return pk in node.pks
    return row[COLUMNS.index(node.column)] in node.values


def meaning(node):
    return [pk for pk, row in OBJECTS.items() if holds(node, pk, row)]


def in_box(box, pk, row):
    found = {PK: pk, **dict(zip(COLUMNS, row, strict=True))}
    return all((found[d] in r.values) != r.negated for d, r in box.items())


def members(boxes):
    """The objects of each box, one after the other."""
    return sorted(pk for box in boxes for pk, row in OBJECTS.items() if in_box(box, pk, row))


@given(trees)
def test_the_boxes_hold_what_the_tree_says(tree):
    assert sorted({*members(boxes_of(tree))}) == meaning(tree)
    assert sorted({*members(boxes_of(Not(tree)))}) == meaning(Not(tree))


@given(trees)
def test_disjoint_boxes_hold_each_object_once(tree):
    assert members(normal.disjoint(boxes_of(tree))) == meaning(tree)


@given(trees)
def test_no_box_is_empty_or_within_another_one(tree):
    boxes = boxes_of(tree)
    for box in boxes:
        assert not any(r.is_empty or r.is_everything for r in box.values())
        assert not any(normal._covers(other, box) for other in boxes if other is not box)


@given(trees)
def test_the_client_evaluates_the_same(tree):
    def members_of(atom):
        return frozenset(meaning(atom))

    pks, negated = evaluated(tree, members_of)
    assert [pk for pk in OBJECTS if (pk in pks) != negated] == meaning(tree)


@given(st.lists(trees, max_size=3).map(tuple), st.lists(st.sampled_from([*OBJECTS]), unique=True))
def test_rows_are_told_apart_by_the_tree(filters, pks):
    rows = [OBJECTS[pk] for pk in pks]
    mask = Matcher(filters, COLUMNS).mask(pks, rows)
    kept = pks if mask is None else [pk for pk, keep in zip(pks, mask, strict=True) if keep]
    assert kept == [pk for pk in pks if pk in meaning(And(filters))]


def test_a_contradiction_is_nothing_and_a_tautology_is_everything():
    a, b, _ = COLUMNS
    x, y = InSets(a, (b'x',)), InSets(a, (b'y',))
    assert boxes_of(And((x, y))) == boxes_of(And((x, Not(x)))) == boxes_of(Or(())) == []
    assert boxes_of(Or((x, Not(x)))) == boxes_of(And(())) == boxes_of(Or((Not(x), Not(y)))) == [{}]
    # what one term holds already is absorbed, and values of one field are one box
    both = And((x, InSets(b, (b'x',))))
    assert boxes_of(Or((both, x, y, x))) == [{a: normal.Range((b'x', b'y'))}]
    assert boxes_of(And((Not(x), y))) == [{a: normal.Range((b'y',))}]


def test_thousands_of_values_are_one_box():
    a, b, _ = COLUMNS
    atoms = [InSets(a, (b'%d' % n,)) for n in range(20_000)]
    (box,) = boxes_of(And((Or(tuple(atoms)), InSets(b, (b'x',)))))
    assert len(box[a].values) == 20_000
    (box,) = boxes_of(And(tuple(map(Not, atoms))))
    assert box == {a: normal.Range(tuple(b'%d' % n for n in range(20_000)), True)}


def test_too_many_boxes_are_told():
    """(a=0 or b=0) and (a=1 or b=1) and ... of many fields grows without bound."""
    model = define(*[f'f{n}' for n in range(24)], indexed=[f'f{n}' for n in range(24)], name='Wide')
    columns = model._validated().all
    pairs = zip(columns[::2], columns[1::2], strict=True)
    tree = And(tuple(Or((InSets(a, (b'x',)), InSets(b, (b'y',)))) for a, b in pairs))
    with pytest.raises(TooManyBoxesError):
        boxes_of(tree)
    assert MOST_BOXES < 2**12
    assert len([*atoms_of(tree)]) == 24
