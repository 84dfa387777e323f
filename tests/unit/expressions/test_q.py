"""``Q``: how conditions combine before a model is known. The rule: nothing changes a Q."""

from __future__ import annotations

import copy
import pickle

import pytest

from IndexedRedis import Q, QueryError, UsageError
from unit.build import define

A, B, C = Q(a=1), Q(b='x'), Q(c__in=[1, 2])
SONG = define('name', 'artist', 'genre', indexed=['artist', 'genre'])
TEXTS = {
    'Q()': Q(),
    'Q(a=1)': A,
    "Q(a=1, b='x')": Q(a=1, b='x'),
    "Q(a=1) | Q(b='x') | Q(c__in=[1, 2])": A | B | C,
    "Q(a=1) & (Q(b='x') | Q(c__in=[1, 2]))": A & (B | C),
    "Q(a=1) | Q(b='x', c__in=[1, 2])": A | B & C,
    "~(Q(a=1) | Q(b='x'))": ~(A | B),
    "~Q(a=1, b='x')": ~Q(a=1, b='x'),
    "~Q(a=1) & Q(b='x')": ~A & B,
    'Q(a=1) & Q(a=2)': A & Q(a=2),
    "(Q(a=1) | Q(b='x')) & Q(c=3)": Q(A | B, c=3),
}


@pytest.mark.parametrize('text', TEXTS)
def test_the_repr_is_what_one_types(text):
    assert repr(TEXTS[text]) == text
    again = eval(text)
    assert repr(again) == text
    assert again == TEXTS[text] or '&' in text  # brackets may group otherwise


def test_an_empty_one_changes_nothing():
    assert (Q() | A) == (A | Q()) == (Q() & A) == (A & Q()) == Q(A) == Q(Q(), A) == A
    assert ~Q() == Q() == Q(Q())
    query = Q()
    for genre in 'abc':
        query |= Q(genre=genre)
    assert query == Q(genre='a') | Q(genre='b') | Q(genre='c')


def test_equality_and_hash():
    assert Q(a=1) == A
    assert len({A, Q(a=1), B}) == 2
    assert A | B != A & B != ~A
    assert A | B != B | A
    assert A != 1
    with pytest.raises(TypeError, match='unhashable'):
        hash(C)


def test_it_is_immutable():
    before = repr(A)
    assert len([A | B, A & B, ~A]) == 3
    with pytest.raises(AttributeError, match='immutable'):
        A._op = '|'
    with pytest.raises(AttributeError, match='immutable'):
        del A._parts
    assert repr(A) == before


@pytest.mark.parametrize('query', [*TEXTS.values()], ids=repr)
def test_copies_are_equal(query):
    assert copy.copy(query) == copy.deepcopy(query) == pickle.loads(pickle.dumps(query)) == query


def test_python_operators_are_refused():
    """`Q(...) and Q(...)` would be the second one."""
    with pytest.raises(TypeError, match=r'Combine with \| and &'):
        A and B
    with pytest.raises(TypeError):
        A | 1
    with pytest.raises(TypeError):
        A & {'b': 1}


@pytest.mark.parametrize('method', ['filter', 'exclude', 'filterInline'])
@pytest.mark.parametrize('wrong', ['artist', {'artist': 1}, 1, None, SONG.objects], ids=repr)
def test_what_is_no_Q_is_refused_by_name(method, wrong):
    with pytest.raises(UsageError, match=rf'{method}\(\) takes Q'):
        getattr(SONG.objects, method)(wrong)
    with pytest.raises(UsageError, match=r'Q\(\) takes Q'):
        Q(wrong)


def test_long_chains_stay_flat():
    query = Q()
    for n in range(5000):
        query |= Q(artist=str(n))
    assert len(query._parts) == 5000
    assert len(repr(query)) > 5000
    (atom,) = SONG.objects.filter(query)._query.boxes[0].values()
    assert len(atom.values) == 5000


def test_queries_of_one_model_combine():
    rock, abba = SONG.objects.filter(genre='rock'), SONG.objects.filter(artist='Abba')
    either, both = rock | abba, rock & abba
    assert type(either) is type(rock)
    assert either._filters == SONG.objects.filter(Q(genre='rock') | Q(artist='Abba'))._filters
    assert both._filters == SONG.objects.filter(genre='rock', artist='Abba')._filters
    assert (~rock)._filters == SONG.objects.exclude(genre='rock')._filters
    assert (SONG.objects | rock)._filters == ()
    assert (SONG.objects & rock)._filters == rock._filters
    assert len(rock._filters) == 1


def test_queries_that_do_not_fit_together_are_refused_by_name():
    other = define('artist', indexed=['artist'], name='Album').objects.filter(artist='Abba')
    with pytest.raises(UsageError, match=r'Song: a query of Album .*\|'):
        SONG.objects | other
    with pytest.raises(UsageError, match=r'Song: a query of Album .*&'):
        SONG.objects & other
    with pytest.raises(UsageError, match='two objects'):
        SONG(name='x').objects | SONG.objects
    with pytest.raises(TypeError):
        SONG.objects | Q(artist='Abba')


def test_names_are_checked_when_a_model_is_known():
    condition = Q(nix=1)
    with pytest.raises(QueryError, match="Song has no field 'nix'"):
        SONG.objects.filter(condition)
