"""explain() of queries with an order. The rule: what it says will be sent is what reading sends,
and the sentence names the way that was taken."""

from __future__ import annotations

import json

import pytest

from IndexedRedis import IRField, Q, UsageError
from IndexedRedis._core.inspection import explain_order
from IndexedRedis._core.mapping.resp import unpacked
from IndexedRedis._core.queries.ordering import part, plan
from IndexedRedis.executors.recording import readable

MANY = 600


@pytest.fixture
def catalogue(make_model, monkeypatch):
    for place in (plan, explain_order):
        monkeypatch.setattr(place, 'SMALL_SET', 100)
        monkeypatch.setattr(place, 'WALK_US', 4000)  # all rows fit into one step
    model = make_model(
        [*('title', 'genre', 'label', 'plain'), IRField('year', valueType=int)],
        indexed=['genre', 'label'],
        key_name='Catalogue',
        SORTED_FIELDS=['year', 'title'],
        CLIENT_SIDE_CACHE=0,
    )
    model.saver.save(
        [
            model(
                title=f't{n:05}',
                genre='rock' if n % 6 else 'jazz',
                label=f'l{n % 50}',
                plain=str(-n),
                year=n,
            )
            for n in range(MANY)
        ]
    )
    return model


CASES = {
    'a page of all': (
        lambda objects: objects.orderBy('year')[:20],
        ['a walk up _ir_|Catalogue:keys:sorted:year, where every member matches: 1 trip'],
    ),
    'a page in the opposite order': (
        lambda objects: objects.orderBy('-year')[40:60],
        ['a walk down _ir_|Catalogue:keys:sorted:year, where every'],
    ),
    'a filter on the way': (
        lambda objects: objects.filter(genre='rock').orderBy('year')[:20],
        ['a walk up', '; 1 set looked up for each member, about 24 members in 1 step: 1 trip'],
    ),
    'two filters on the way': (
        lambda objects: objects.filter(genre='rock', label__ne='l7').orderBy('year')[:20],
        ['a walk up', '; 2 sets looked up for each member, about'],
    ),
    'a small set': (
        lambda objects: objects.filter(genre='rock', label='l7').orderBy('-year')[:20],
        ['the 12 members of _ir_|Catalogue:idx:label:l7, sorted by their scores; 2 sets'],
    ),
    'a small set alone': (
        lambda objects: objects.filter(label='l7').orderBy('title'),
        ['the 12 members of _ir_|Catalogue:idx:label:l7, sorted by their scores: 1 trip'],
    ),
    'a range': (
        lambda objects: objects.filter(year__gte=500).orderBy('year')[:20],
        ['a walk up', 'every member matches: 1 trip'],
    ),
    'a field without a sorted set': (
        lambda objects: objects.filter(label='l7').orderBy('plain')[:20],
        ['all pks that match, and their values of plain, since plain is not in SORTED_FIELDS'],
    ),
    'by pk': (
        lambda objects: objects.filter(label='l7')[:20],
        ['all pks that match, in order; then the rows of the part: 3 trips'],
    ),
    'filters that are no clauses': (
        lambda objects: objects.filter(
            Q(genre='rock', label='l7') | Q(genre='jazz', label='l6')
        ).orderBy('year')[:5],
        ['all pks that match, and their scores, since a walk cannot test these filters'],
    ),
    'pk first': (
        lambda objects: objects.filter(label='l7').orderBy('pk', 'year')[:5],
        ['since the pk comes first in the order'],
    ),
    'all rows': (
        lambda objects: objects.filter(genre='rock').orderBy('year'),
        ['a walk up', 'about 600 members in 1 step: 3 trips'],
    ),
}


def sent(trips):
    """What went to the server: the commands of each trip, and how many rows were read."""
    found = []
    for trip in filter(None, trips):
        commands = [readable(unpacked(command)) for command in trip]
        others = [plain(each) for each in commands if each[0] != 'HMGET']
        found.append((len(commands) - others_count(commands), list(dict.fromkeys(others))))
    return found


def plain(command):
    """A command without the pks, which explain() makes up."""
    return (*command[:2], b'<pk>') if command[0] in ('SMISMEMBER', 'ZMSCORE') else command


def others_count(commands):
    return sum(command[0] != 'HMGET' for command in commands)


def told(explanation):
    found = []
    for trip in explanation.trips:
        rows = trip.times if trip.commands and trip.commands[0][0] == 'HMGET' else 0
        others = trip.last if rows else trip.commands
        found.append((rows, list(map(plain, others))))
    return found


@pytest.mark.names_keys
@pytest.mark.parametrize('name', CASES)
def test_what_it_says_is_what_reading_sends(catalogue, trips, name):
    make, texts = CASES[name]
    query = make(catalogue.objects)
    explanation = query.explain()
    trips.clear()
    found = query.all()
    assert told(explanation) == sent(trips)
    assert all(text in explanation.path for text in texts), explanation.path
    measured = query.explain(analyze=True).measured
    assert (measured.rows, measured.trips) == (len(found), len(explanation.trips))
    assert measured.commands == sum(map(len, trips[: len(explanation.trips)]))


def test_the_text(catalogue):
    query = catalogue.objects.filter(year__gt=5, genre='rock').orderBy('-year', 'title')[20:40]
    lines = str(query.explain()).splitlines()
    assert lines[0].endswith(': year > 5 and genre = rock')
    assert lines[1].startswith('  rows: about 49')
    assert lines[2] == '  order: -year, title, nulls last; objects 20 to 40'
    assert catalogue.objects[5:].explain().order == 'pk; objects 5 to the last'
    first = catalogue.objects.orderBy('year', nulls='first').explain()
    assert first.order == 'year, nulls first'
    assert json.loads(json.dumps(first.asDict()))['order'] == first.order
    plain = catalogue.objects.explain()
    assert 'order' not in plain.asDict()
    assert 'order:' not in str(plain)


@pytest.mark.plain_model
def test_rows_of_ranges(catalogue):
    def rows(**lookups):
        return catalogue.objects.filter(**lookups).explain().rows

    assert rows(year__gte=500) == (100, 100, 100)
    assert rows(year__between=(10, 19)).exact
    assert not rows(title__lt='t00100').exact, 'the score tells the first bytes only'
    both = rows(year__gte=500, genre='rock')
    assert (both.low, both.high, both.estimate) == (0, 100, 83)


@pytest.mark.plain_model
def test_it_warns_of_too_many_for_an_order_without_a_sorted_set(catalogue, monkeypatch):
    assert catalogue.objects.orderBy('plain').explain().warnings == []
    for place in (part, explain_order):
        monkeypatch.setattr(place, 'MOST_UNSORTED', 500)
    explanation = catalogue.objects.orderBy('plain').explain()
    assert explanation.warnings == [
        'plain is not in SORTED_FIELDS: if more than 500 objects match, the query raises a '
        'QueryError.'
    ]
    assert catalogue.objects.orderBy('year', 'plain').explain().warnings == []


@pytest.mark.plain_model
def test_steps_of_a_long_walk(catalogue, monkeypatch):
    for place in (plan, explain_order):
        monkeypatch.setattr(place, 'SMALL_SET', 10)
        monkeypatch.setattr(place, 'WALK_US', 200)
    path = catalogue.objects.filter(label='l7').orderBy('year')[:6].explain().path
    assert 'about 300 members in 4 steps' in path


@pytest.mark.plain_model
def test_lookups_along_links_come_first(make_model):
    from IndexedRedis.fields import IRForeignLinkField

    artist = make_model(['name'], ['name'], CLIENT_SIDE_CACHE=0)
    song = make_model(
        [IRForeignLinkField('artist', artist), IRField('year', valueType=int)],
        ['artist'],
        SORTED_FIELDS=['year'],
        CLIENT_SIDE_CACHE=0,
    )
    artist.reset([artist(name='a'), artist(name='b')])
    song.reset([song(artist=n % 2 + 1, year=n) for n in range(10)])
    explanation = song.objects.filter(artist__name='a').orderBy('year')[:3].explain(analyze=True)
    assert explanation.path.startswith('pks of linked objects, then the 5 members of')
    assert explanation.measured.rows == 3


BEHIND = {
    'all': lambda objects: objects.orderBy('year'),
    'a filter': lambda objects: objects.filter(genre='rock').orderBy('-year'),
    'a small set': lambda objects: objects.filter(label='l7').orderBy('title'),
    'no sorted set': lambda objects: objects.filter(label='l7').orderBy('plain'),
    'no order': lambda objects: objects.filter(label='l7'),
}


@pytest.mark.plain_model
@pytest.mark.parametrize('name', BEHIND)
def test_a_page_behind_a_place(catalogue, trips, name):
    """explain(after=) tells what page(after=) sends."""
    query = BEHIND[name](catalogue.objects)
    first = query.page(size=4)
    explanation = query[:4].explain(after=first.next)
    assert '; behind a place; objects 0 to 4' in str(explanation)
    assert explanation.path == query[:4].explain().path
    trips.clear()
    page = query.page(size=4, after=first.next)
    assert len(page.objects) == 4
    assert len([*filter(None, trips)]) == len(explanation.trips)
    measured = query[:4].explain(analyze=True, after=first.objects[-1]).measured
    assert (measured.rows, measured.trips) == (4, len(explanation.trips))
    with pytest.raises(UsageError, match='is no cursor'):
        query.explain(after='x')
