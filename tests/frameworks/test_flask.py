"""The guest book in Flask, as its clients see it."""

from __future__ import annotations

import importlib.util
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

pytest.importorskip('flask', reason='the example needs Flask')

PROGRAM = Path(__file__).parents[2] / 'examples' / 'flask_app.py'


@pytest.fixture(scope='module')
def module():
    spec = importlib.util.spec_from_file_location('flask_example', PROGRAM)
    module = sys.modules[spec.name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    yield module
    del sys.modules[spec.name]


@pytest.fixture
def client(module, redis_params, watch_models):
    watch_models(module.Entry)
    return module.app.test_client()


def test_an_entry(client):
    answer = client.post('/entries', json={'name': 'Ann', 'text': None})
    assert answer.status_code == 201
    entry = answer.get_json()
    written = datetime.fromisoformat(entry.pop('written'))
    assert datetime.now(UTC) - written < timedelta(minutes=1)
    assert entry == {'_id': 1, 'name': 'Ann', 'text': None}
    shown = client.get('/entries/1').get_json()
    assert {**entry, 'written': written.isoformat()} == shown
    assert client.delete('/entries/1').status_code == 204
    assert client.delete('/entries/1').status_code == client.get('/entries/1').status_code == 404


def test_pages(client, module):
    start = datetime(2026, 1, 1, tzinfo=UTC)
    module.Entry.saver.save(
        [
            module.Entry(name='AB'[n % 2], text=str(n), written=start + timedelta(days=n))
            for n in range(60)
        ]
    )
    found, after = [], {}
    while True:
        answer = client.get('/entries', query_string={'name': 'A', **after}).get_json()
        found += [int(entry['text']) for entry in answer['entries']]
        if answer['next'] is None:
            break
        after = {'after': answer['next']}
    assert found == [*range(58, -1, -2)]


@pytest.mark.parametrize(
    ('query', 'message'),
    [
        ({'nam': 'A'}, "Did you mean 'name'?"),
        ({'after': 'made up'}, 'cursor'),
        ({'written__gt': 'soon'}, 'Entry.written'),
    ],
)
def test_refusals(client, query, message):
    answer = client.get('/entries', query_string=query)
    assert answer.status_code == 400
    assert message in answer.get_json()['error']


def test_what_is_no_object_is_refused(client):
    assert client.post('/entries', json=['name']).status_code == 400


def test_a_value_that_no_field_holds(client):
    answer = client.post('/entries', json={'name': 'IRNullType()'})
    assert answer.status_code == 400
    assert 'Entry.name' in answer.get_json()['error']
