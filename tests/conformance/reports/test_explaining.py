"""explain(). The rule: what it says will be sent is what all() then sends."""

from __future__ import annotations

import json
import re

import pytest

from IndexedRedis import IRField, irNull
from IndexedRedis._core.inspection.explain import SAMPLED_MEMBERS
from IndexedRedis._core.mapping.resp import unpacked
from IndexedRedis.executors.recording import readable

MANY = 3000
LARGE, SMALL = {'genre': 'rock'}, {'label': 'l7'}
QUERIES = {
    'all': {},
    'small': SMALL,
    'large': LARGE,
    'two large': {'genre': 'rock', 'year': 1970},
    'large and small': {**LARGE, **SMALL},
    'over a hundred rows of a set the script may look at': {'year': 1971},
    'lone ne': {'genre__ne': 'rock'},
    'lone ne that leaves little': {'country__ne': 'AU'},
    'large and ne': {**LARGE, 'year__ne': 1971},
    'small and ne': {**SMALL, 'year__ne': 1971},
    'four ne': {f'{name}__ne': value for name, value in (*SMALL.items(), *LARGE.items())},
    'nothing': {'genre': 'polka'},
    'ne of nothing': {'genre__ne': 'polka'},
    'null': {'country': None},
    'hashed': {'mood': 'grim'},
    'both ways': {'genre': 'rock', 'genre__ne': 'rock'},
}


@pytest.fixture
def catalogue(make_model):
    model = make_model(
        [
            *(IRField(name) for name in ('title', 'genre', 'label', 'country')),
            IRField('year', valueType=int),
            IRField('mood', hashIndex=True),
        ],
        indexed=['genre', 'label', 'country', 'year', 'mood'],
        key_name='Catalogue',
    )
    model.saver.save(
        [
            model(
                title=f't{n}',
                genre='rock' if n % 6 else 'jazz',
                label=f'l{n % 50}',
                country='AU' if n % 100 else irNull,
                year=1970 + (n % 10 == 0),
                mood='grim',
            )
            for n in range(MANY)
        ]
    )
    return model


def sent(trips):
    """What went to the server, as an explanation writes it down."""
    return [told([readable(unpacked(command)) for command in trip]) for trip in trips if trip]


def told(commands):
    if commands[0][0] != 'HMGET':
        return commands, 1, ()
    key = commands[0][1].rpartition(b':')[0] + b':<pk>'
    rows, last = commands[:-1], commands[-1]
    return [('HMGET', key, *rows[0][2:])], len(rows), [last]


@pytest.mark.large
@pytest.mark.plain_model
@pytest.mark.parametrize('name', QUERIES)
def test_the_commands_are_those_that_all_sends(catalogue, trips, name):
    query = catalogue.objects.filter(**QUERIES[name])
    explanation = query.explain()
    trips.clear()
    found = query.all()
    actual, commands = sent(trips), sum(map(len, trips))
    if explanation.rows.exact:
        assert explanation.rows.estimate == len(found)
        assert [(trip.commands, trip.times, trip.last) for trip in explanation.trips] == actual
    else:
        assert [trip.commands for trip in explanation.trips] == [trip for trip, *_ in actual]
    assert explanation.rows.low <= len(found) <= explanation.rows.high
    # and measured the same
    explanation = query.explain(analyze=True)
    measured = explanation.measured
    assert (measured.rows, measured.trips) == (len(found), len(explanation.trips))
    assert measured.commands == commands
    if explanation.rows.exact:
        assert measured.chunks == explanation.chunks
    assert 0 < measured.waited <= measured.seconds
    assert str(explanation).endswith(f'measured: {measured}')


@pytest.mark.plain_model
def test_bytes_are_those_on_the_wire(catalogue, raw):
    query = catalogue.objects.filter(genre='rock')
    query.all()  # now the script is loaded

    def traffic():
        stats = raw.info('stats')
        return stats['total_net_input_bytes'], stats['total_net_output_bytes']

    first = traffic()
    second = traffic()
    own = [b - a for a, b in zip(first, second, strict=True)]
    query.explain()
    third = traffic()
    measured = query.explain(analyze=True).measured
    fourth = traffic()
    explaining = [b - a for a, b in zip(second, third, strict=True)]
    both = [b - a for a, b in zip(third, fourth, strict=True)]
    seen = (measured.bytesSent, measured.bytesReceived)
    for i in range(2):
        # the server's own reply to INFO differs by a few digits from call to call
        assert abs(both[i] - explaining[i] - seen[i]) < 100, (own, explaining, both, seen)


@pytest.mark.plain_model
def test_an_estimate_is_between_its_bounds_and_near(catalogue):
    rows = catalogue.objects.filter(genre='rock', year__ne=1971).explain().rows
    count = catalogue.objects.filter(genre='rock', year__ne=1971).count()
    assert not rows.exact
    assert rows.low < count < rows.high
    assert abs(rows.estimate - count) < 0.1 * count
    assert str(rows).startswith('about 2,')


@pytest.mark.names_keys
def test_the_set_that_drives(catalogue):
    sets = catalogue.objects.filter(**LARGE, **SMALL).explain().sets
    assert [each.key for each in sets if each.drives] == [b'_ir_|Catalogue:idx:label:l7']
    assert [(each.size, each.included) for each in sets] == [(MANY, True), (2500, True), (60, True)]


WARNINGS = {
    'all': [],
    'small': [],
    'large': ['idx:genre:rock is not selective: it holds 83%'],
    'lone ne': ['starts from the set of all 3,000 pks'],
    'nothing': ['idx:genre:polka does not exist: .* nothing can match'],
    'ne of nothing': ['all 3,000 pks', 'polka does not exist: .* leaves out nothing'],
    'null': ['country is compared with null'],
    'hashed': ['mood has hashIndex', 'is not selective: it holds 100%'],
}


@pytest.mark.plain_model
def test_warnings(catalogue):
    for name, patterns in WARNINGS.items():
        warnings = catalogue.objects.filter(**QUERIES[name]).explain().warnings
        assert len(warnings) == len(patterns), (name, warnings)
        for pattern, warning in zip(patterns, warnings, strict=True):
            assert re.search(pattern, warning)


@pytest.mark.plain_model
def test_thousands_of_filters(catalogue, trips):
    query = catalogue.objects
    for n in range(3000):
        query = query.filter(label__ne=f'x{n}')
    explanation = query.explain()
    assert len(explanation.sets) == 3001
    assert any('no script answers' in text for text in explanation.warnings)
    assert len(explanation.warnings) == 21
    assert len(str(explanation).splitlines()) < 60
    trips.clear()
    assert len(query.all()) == MANY
    assert [trip.commands for trip in explanation.trips] == [trip for trip, *_ in sent(trips)]


@pytest.mark.plain_model
def test_a_value_of_several_stored_forms(make_model, trips):
    from datetime import datetime

    model = make_model([IRField('at', valueType=datetime)], indexed=['at'])
    model(at=datetime(2020, 1, 1)).save()
    query = model.objects.filter(at=datetime(2020, 1, 1))
    explanation = query.explain()
    assert len(explanation.parts) == len(explanation.filters[0].keys)
    trips.clear()
    assert len(query.all()) == explanation.rows.estimate == 1
    assert [(trip.commands, trip.times, trip.last) for trip in explanation.trips] == sent(trips)


@pytest.mark.names_keys
def test_it_only_reads_and_is_plain_data(catalogue, raw):
    before = raw.info('commandstats'), raw.dbsize()
    explanation = catalogue.objects.filter(**LARGE).explain(analyze=True)
    assert raw.dbsize() == before[1]
    data = json.loads(json.dumps(explanation.asDict()))
    assert data['filters'][0]['keys'] == ['_ir_|Catalogue:idx:genre:rock']
    assert data['rows'] == {'low': 2500, 'high': 2500, 'estimate': 2500, 'exact': True}
    assert data['measured']['rows'] == 2500
    assert data['trips'][-1]['times'] == 2500
    markers = [f'_ir_|Catalogue:tmp:{name}' for name in ('swapped', 'incarnations')]
    assert data['trips'][-1]['last'] == [['MGET', *markers]]
    assert SAMPLED_MEMBERS < 2500  # else the bounds would not be looked at


def test_no_objects(make_model):
    explanation = make_model(['a'], indexed=['a']).objects.filter(a='x').explain(analyze=True)
    assert (explanation.total, explanation.rows.estimate, explanation.measured.rows) == (0, 0, 0)


@pytest.mark.names_keys
def test_cli_words_of_odd_values(make_model):
    model = make_model(['a'], indexed=['a'], key_name='Odd')
    text = str(model.objects.filter(a='two words\n').explain())
    assert r"'_ir_|Odd:idx:a:two words\n'" in text
    assert '\n:' not in text
