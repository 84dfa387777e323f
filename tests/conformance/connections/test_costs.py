"""What each operation costs in round trips and commands. The rule: these numbers go up only on
purpose; they guard the speed that ``benchmarks/`` shows, without timing anything."""

from __future__ import annotations

import pytest

from IndexedRedis.testing import recordTrips

# For partitions see unit/commands/test_partitioned_commands.py.
pytestmark = pytest.mark.plain_model

STORED = 300

# What is done; how many round trips it takes, and how many commands those hold.
COSTS = {
    'get': (lambda song: song.objects.get(1), 1, 3),
    'getMultiple of 250': (lambda song: song.objects.getMultiple(range(1, 251)), 1, 252),
    'exists': (lambda song: song.objects.exists(1), 1, 1),
    'all of 50': (lambda song: song.objects.filter(artist='fifty').all(), 1, 1),
    'allOnlyFields of 50': (
        lambda song: song.objects.filter(artist='fifty').allOnlyFields(['title']),
        *(1, 1),
    ),
    'all of 250': (lambda song: song.objects.filter(artist='many').all(), 3, 1 + 2 + 251),
    'all of two filters': (
        lambda song: song.objects.filter(artist='many', year=3).all(),
        *(1, 1),
    ),
    'count of all': (lambda song: song.objects.count(), 1, 1),
    'count of a filter': (lambda song: song.objects.filter(artist='many').count(), 1, 3),
    'count of two': (lambda song: song.objects.filter(artist='many', year=3).count(), 1, 3),
    'count of another': (lambda song: song.objects.filter(artist__ne='many').count(), 1, 3),
    'first': (lambda song: song.objects.filter(artist='many').first(), 1, 1),
    'last': (lambda song: song.objects.filter(artist='many').last(), 1, 1),
    'random': (lambda song: song.objects.filter(artist='many').random(), 1, 1),
    'values of 50': (
        lambda song: song.objects.filter(artist='fifty').valuesList('title'),
        *(1, 1),
    ),
    'any match of two': (
        lambda song: song.objects.filter(artist='many', year=3).exists(),
        *(1, 1),
    ),
    'the one of two': (lambda song: song.objects.get(artist='many', year=7), 1, 1),
    'update of 50': (
        lambda song: song.objects.filter(artist='fifty').update(title='x'),
        *(2, 1 + 2 * (1 + 1) + 50),  # two chunks side by side
    ),
    'pks': (lambda song: song.objects.filter(artist='many').getPrimaryKeys(), 1, 1),
    'insert': (lambda song: song(title='new', artist='x').save(), 1, 1),
    'insert of 250': (
        lambda song: song.saver.save([song(title=str(n), artist='x') for n in range(250)]),
        *(2, 2),
    ),
    'delete by pk': (lambda song: song.deleter.deleteByPk(1), 2, 2),
    'delete of 50': (lambda song: song.objects.filter(artist='fifty').delete(), 3, 1 + 51 + 1),
}


@pytest.fixture
def stored(song):
    song.CLIENT_SIDE_CACHE = 0  # what is remembered costs nothing
    artists = ['fifty'] * 50 + ['many'] * 250
    song.saver.save([song(title=a, artist=a, year=n % 5) for n, a in enumerate(artists)])
    return song


@pytest.fixture
def cost(stored):
    """The trips and commands of what is done a second time: the server knows the scripts then."""

    def measured(call):
        with recordTrips() as trips:
            call(stored)
        return len(trips), sum(map(len, trips))

    return measured


@pytest.mark.parametrize('what', COSTS)
def test_an_operation_costs_no_more(cost, what):
    call, trips, commands = COSTS[what]
    assert cost(call) == (trips, commands)


def test_an_update_costs_no_more(stored, cost):
    obj = stored.objects.get(1)
    obj.artist = 'other'
    assert cost(lambda song: obj.save()) == (1, 1)
    assert cost(lambda song: obj.save()) == (0, 0)  # nothing changed
    assert cost(lambda song: obj.delete()) == (1, 1)


def test_a_reset_costs_no_more(stored, cost):
    """Besides a row for each: per 100 new objects a transaction and the lock; per 200 old ones
    their pks, and their end."""
    few = cost(lambda song: song.reset([song(artist='a') for _ in range(250)]))
    many = cost(lambda song: song.reset([song(artist='a') for _ in range(2500)]))
    assert few[0] <= 30
    assert many[0] - few[0] <= 30
    assert many[1] - few[1] - (2500 - 250) <= 130
