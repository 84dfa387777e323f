"""Set expressions against Python's sets. The rule: whatever command an expression becomes, a tiny
interpreter of that command must find what the expression says."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from IndexedRedis._core.queries import set_algebra
from IndexedRedis._core.queries.set_algebra import SetExpression
from IndexedRedis._core.script import BY_SHA

ALL = b'all'
NAMES = [b'a', b'b', b'c', b'd']
pks = st.frozensets(st.integers(0, 20))
strangers = st.frozensets(st.integers(30, 50))
databases = st.builds(
    lambda others, more: {ALL: frozenset().union(more, *others.values()), **others},
    st.fixed_dictionaries(dict.fromkeys(NAMES, pks)),
    pks,
)
names = st.lists(st.sampled_from(NAMES), max_size=set_algebra.COUNTED_EXCLUSIONS).map(tuple)
expressions = st.builds(SetExpression, st.just(ALL), names, names)


def meaning(expression, database):
    """What the expression says, in Python."""
    return {
        pk
        for pk in database[ALL]
        if all(pk in database[name] for name in expression.every)
        and not any(pk in database[name] for name in expression.none)
    }


def answer(command, database):
    """What a server would answer."""
    name, *args = command
    if name == 'EVALSHA':
        sha, count, *rest = args
        keys, args = rest[:count], rest[count:]
        return SCRIPTS[BY_SHA[sha].name]([database[key] for key in keys], args)
    first, *others = (database[key] for key in args)
    if name == 'SCARD':
        return len(first)
    return {'SMEMBERS': first.union, 'SINTER': first.intersection, 'SDIFF': first.difference}[name](
        *others
    )


def _members(found, args):
    (every,) = args
    return frozenset.intersection(*found[:every]).difference(*found[every:])


def _count(found, args):
    remaining, total = list(found), 0
    for sign, size in zip(args[::2], args[1::2], strict=True):
        term, remaining = remaining[:size], remaining[size:]
        total += sign * len(frozenset.intersection(*term))
    assert remaining == []
    return total


def _count_living(found, args):
    every, touched, *found = found
    most, *terms = args
    doubtful = [name for name in found if name is not every]
    doubtful = [name for name in doubtful if len(name) <= most or id(name) in touched]
    remaining, total = list(found), 0
    for sign, size in zip(terms[::2], terms[1::2], strict=True):
        term, remaining = remaining[:size], remaining[size:]
        if all(any(name is other for other in doubtful) for name in term):
            term.append(every)
        total += sign * len(frozenset.intersection(*term))
    return total


SCRIPTS = {'members': _members, 'count': _count, 'count_living': _count_living}


@given(expressions, databases)
def test_the_members_are_those_that_the_expression_names(expression, database):
    assert answer(set_algebra.members(expression), database) == meaning(expression, database)


@given(expressions, databases)
def test_the_count_is_that_of_the_members(expression, database):
    assert answer(set_algebra.count([expression]), database) == len(meaning(expression, database))


@given(st.lists(expressions, min_size=1, max_size=4), databases)
def test_several_expressions_are_counted_together(several, database):
    """Each member once for each of them: they are not to overlap."""
    total = sum(len(meaning(expression, database)) for expression in several)
    assert answer(set_algebra.count(several), database) == total


@given(expressions, databases, st.fixed_dictionaries(dict.fromkeys(NAMES, strangers)))
def test_beside_a_reset_small_sets_may_hold_what_is_no_object(expression, database, more):
    """Those that hold at most so many members, or that writers have touched."""
    lying = {name: database[name] | more[name] for name in NAMES}
    database = {ALL: database[ALL], **lying}
    command = set_algebra.count_living([expression], b'touched')
    most = set_algebra.UNSETTLED_MEMBERS
    database[b'touched'] = {id(lying[name]) for name in NAMES if len(lying[name]) > most}
    assert answer(command, database) == len(meaning(expression, database))


@given(expressions, databases)
def test_the_operands_of_a_script_say_the_same(expression, database):
    keys, every = set_algebra.operands(expression)
    found = _members([database[key] for key in keys], [every])
    assert found == meaning(expression, database)


def test_too_many_exclusions_are_not_counted_by_inclusion_and_exclusion():
    excluded = tuple(b'%d' % number for number in range(set_algebra.COUNTED_EXCLUSIONS + 1))
    assert set_algebra.count([SetExpression(ALL, (), excluded)]) is None
    assert set_algebra.count_living([SetExpression(ALL, (), excluded)], b'touched') is None
    command = set_algebra.count([SetExpression(ALL, (), excluded[1:])])
    assert command is not None
    assert len(command) < 2000
    several = [SetExpression(ALL, (b'%d' % n,)) for n in range(set_algebra.COUNTED_TERMS + 1)]
    assert set_algebra.count(several) is None
    assert set_algebra.count(several[1:]) is not None


@pytest.mark.parametrize('sets', [1, 2, 20, 50, 100])
def test_a_script_looks_up_members_in_a_bounded_number_of_sets(sets):
    """2,000 members of 100 sets take a server 15 ms."""
    every, none = NAMES[:1] * (sets - sets // 2), NAMES[1:2] * (sets // 2)
    most = set_algebra.member_limit(SetExpression(b'all', tuple(every), tuple(none)), 2000)
    assert most * sets <= 40_000
    assert most == 2000 or sets > 20
