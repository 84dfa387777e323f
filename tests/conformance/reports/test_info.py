"""info() and findModels(). The rule: sizes are exact, the rest is said to be estimated, and
nothing is written."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime

import pytest
from support.keyspace import dump, key_names

import IndexedRedis as IR
from IndexedRedis import FoundModel, IRField, ModelInfo, UsageError
from IndexedRedis._core.inspection import statistics

pytestmark = pytest.mark.names_keys

MANY = 1200
# A user who may do nothing of what statistics need beyond plain reads.
PLAIN_READER = ['+@all', '-memory', '-object']


@pytest.fixture
def tracks(make_model):
    """Objects with an index of each temper."""
    model = make_model(
        [
            IRField('title'),
            IRField('genre'),
            IRField('isrc'),
            IRField('kind'),
            IRField('mood', hashIndex=True),
            IRField('year', valueType=int),
        ],
        indexed=['genre', 'isrc', 'kind', 'mood', 'year'],
        key_name='Shop:Tracks',
    )
    model.saver.save([model(**values(n)) for n in range(MANY)])
    return model


def values(n):
    return {
        'title': f'title {n}',
        'genre': ('rock', 'pop', 'jazz', 'jazz')[n % 4],
        'isrc': f'isrc{n}',
        'kind': 'track',
        'mood': 'grim' if n % 50 else 'gay',
        'year': 1970 + n % 7,
    }


def field(info, name):
    return next(each for each in info.fields if each.name == name)


def test_sizes_of_index_sets_are_exact(tracks, raw):
    before = dump(raw)
    info = tracks.objects.info()
    assert isinstance(info, ModelInfo)
    assert (info.model, info.keyName) == (tracks.__name__, 'Shop:Tracks')
    assert (info.objects, info.next, info.mirroredAt) == (MANY, MANY, None)
    genre = field(info, 'genre').index
    assert genre.top == [(b'jazz', 600), (b'pop', 300), (b'rock', 300)]
    assert (genre.sets, genre.entries, genre.smallest, genre.largest) == (3, MANY, 300, 600)
    assert genre.average == 400
    isrc = field(info, 'isrc').index
    assert (isrc.sets, isrc.smallest, isrc.largest, len(isrc.top)) == (MANY, 1, 1, 10)
    assert field(info, 'title').index is None
    assert [(f.name, f.hashIndex) for f in info.fields if f.hashIndex] == [('mood', True)]
    assert field(info, 'mood').index.largest == MANY - MANY // 50
    assert field(info, 'title').longest == len(f'title {MANY - 1}')
    assert (info.unused, info.workKeys) == ({}, 0)
    assert dump(raw) == before


def test_a_sample_is_near(tracks, raw):
    exact = tracks.objects.info(sample=10 * MANY)
    assert exact.rowsSampled == MANY
    assert exact.setsSampled == sum(f.index.sets for f in exact.fields if f.index)
    assert sum(exact.encodings.values()) == MANY
    measured = sum(map(raw.memory_usage, key_names(raw, '_ir_|Shop:Tracks:*')))
    counter = raw.memory_usage('_ir_|Shop:Tracks:next')
    assert exact.memory == measured - counter
    assert exact.memory == exact.rowMemory + exact.keysMemory + exact.indexMemory
    near = tracks.objects.info(sample=50)
    assert near.rowsSampled == 50
    assert near.setsSampled < 400
    assert abs(near.memory - exact.memory) < 0.05 * exact.memory
    assert field(near, 'isrc').index.sets == MANY


def test_advice(tracks, raw):
    raw.sadd('_ir_|Shop:Tracks:idx:label:x', 1)
    advice = tracks.objects.info().advice
    expected = ['isrc: every value is unique', 'kind: all objects', 'mood: ', 'Index sets of']
    assert [text.startswith(start) for text, start in zip(advice, expected, strict=True)] == (
        [True] * 4
    ), advice
    assert 'label (1)' in advice[-1]
    assert tracks.objects.repair().ok
    assert len(tracks.objects.info().advice) == 3


def test_advice_about_long_values(make_model):
    model = make_model(['text', 'other'], indexed=['text'])
    model.saver.save([model(text=f'{n}' + 300 * 'x', other='') for n in range(10)])
    info = model.objects.info()
    assert field(info, 'text').index.longNames == 10
    assert info.encodings == {'hashtable': 10}
    long, large = info.advice
    assert 'hashIndex=True' in long
    assert 'hash-max-listpack-value' in large
    assert 'text (301)' in large


def test_advice_about_a_field_that_was_indexed_later(make_model, raw):
    model = make_model(['a', 'b'], indexed=['a', 'b'], key_name='Grown')
    model.saver.save([model(a='1', b=str(n)) for n in range(4)])
    raw.delete(*(f'_ir_|Grown:idx:b:{n}' for n in range(4)))
    assert any('b: no index sets' in text for text in model.objects.info().advice)
    raw.sadd('_ir_|Grown:idx:b:2', 3)
    assert any('have 1 entries for 4 objects' in each for each in model.objects.info().advice)
    model.objects.reindex()
    assert model.objects.info().advice == []


def test_a_server_that_does_not_allow_memory_usage(tracks, raw):
    raw.acl_setuser('reader', enabled=True, nopass=True, commands=PLAIN_READER, keys=['*'])
    try:
        params = {**IR.getDefaultRedisConnectionParams(), 'username': 'reader', 'password': 'x'}
        IR.setDefaultRedisConnectionParams(params)
        info = tracks.objects.info()
        (found,) = IR.findModels()
    finally:
        raw.acl_deluser('reader')
    assert (info.memory, info.rowMemory, info.indexMemory, info.encodings) == (None,) * 3 + ({},)
    assert 'not known, as the server does not allow MEMORY USAGE' in str(info)
    assert field(info, 'genre').index.largest == 600
    assert info.rowsSampled == 1000
    assert (found.memory, found.objects) == (None, MANY)


@pytest.mark.damaged
@pytest.mark.parametrize('gone', ['idx:genre:rock', 'keys'])
def test_a_key_that_vanishes_meanwhile_is_no_refusal(tracks, raw, monkeypatch, gone):
    """The largest index sets are measured once more at the end, the set of all pks after it was
    counted."""
    key, times = f'_ir_|Shop:Tracks:{gone}'.encode(), {'idx:genre:rock': 2, 'keys': 1}[gone]
    seen, measure = [], statistics.measure

    def vanishing(keys, *args):
        seen.extend(each for each in keys if each == key)
        if len(seen) == times:
            raw.delete(key)
        return measure(keys, *args)

    monkeypatch.setattr(statistics, 'measure', vanishing)
    info = tracks.objects.info()
    assert len(seen) == times
    assert raw.exists(key) == 0
    assert info.memory > 0
    assert None not in (info.rowMemory, info.indexMemory, info.keysMemory)
    assert 'does not allow' not in str(info)


def test_age_work_keys_and_replaced_rows(tracks, raw):
    at = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    raw.set('_ir_|Shop:Tracks:tmp:mirrored', at.isoformat())
    tracks.reset([tracks(**values(0))])
    raw.set('_ir_|Shop:Tracks:tmp:mirrored', at.isoformat())
    info = tracks.objects.info()
    assert (info.objects, info.mirroredAt) == (1, at)
    assert info.workKeys == len(key_names(raw, '_ir_|Shop:Tracks:tmp:*'))
    assert json.loads(json.dumps(info.asDict()))['mirroredAt'] == at.isoformat()
    assert 'mirrored: 2026-01-02 03:04:05+00:00' in str(info)
    (found,) = IR.findModels()
    assert (found.objects, found.rows) == (1, MANY + 1)
    assert found.mirroredAt == at.isoformat()
    raw.delete('_ir_|Shop:Tracks:tmp:mirrored')


def test_no_objects(make_model):
    info = make_model(['a'], indexed=['a']).objects.info()
    assert (info.objects, info.next, info.memory, info.advice) == (0, None, 0, [])
    assert 'objects: 0, last pk handed out: none' in str(info)
    assert IR.findModels() == []


def test_progress_and_arguments(tracks):
    told = []
    tracks.objects.info(progress=lambda *step: told.append(step))
    assert [step for step, _, _ in told][:2] == ['rows', 'rows']
    assert len([step for step in told if step[0] == 'keys']) >= 2
    assert all(0 <= done <= total for _, done, total in told)
    assert told[-1][1] == told[-1][2]
    with pytest.raises(UsageError, match=r'info\(\) .*\.objects, without filters'):
        tracks.objects.filter(genre='rock').info()
    with pytest.raises(UsageError, match='sample=0'):
        tracks.objects.info(sample=0)


@pytest.mark.damaged
def test_damaged_data_is_looked_at_too(tracks, raw):
    raw.set('_ir_|Shop:Tracks:data:1', 'no hash')
    raw.delete('_ir_|Shop:Tracks:data:2')
    raw.set('_ir_|Shop:Tracks:idx:genre:blues', 'no set')
    raw.set('_ir_|Shop:Tracks:next', 'many')
    tracks.objects.info()  # a server that does not know a script yet says so by an error
    errors = raw.info('errorstats')
    info = tracks.objects.info(sample=2 * MANY)
    (found,) = IR.findModels()
    assert raw.info('errorstats') == errors
    assert (info.objects, info.rowsSampled, info.next) == (MANY, MANY - 2, None)
    assert field(info, 'genre').index.sets == 3
    assert any('counter of pks' in text for text in info.advice)
    assert found.objects == MANY


def test_models_are_found_by_their_keys(tracks, make_model, raw):
    plain = make_model(['a'], key_name='Shop')
    plain(a='x').save()
    odd = make_model(['a'], indexed=['a'], key_name='{Odd}:*?\u00e9 :x')
    odd.saver.save([odd(a=value) for value in ('keys', ':keys', 'b:idx:a:c', ':next', 'data:1')])
    for name in (b'stray', b'_ir_|', b'_ir_|x', b'_ir_|:keys', b'_ir_|\xff:keys'):
        raw.set(name, 'of nobody')
    raw.set('_ir_|String:keys', 'no set')
    before = dump(raw)
    found = IR.findModels()
    assert dump(raw) == before
    assert all(isinstance(each, FoundModel) for each in found)
    facts = {each.keyName: (each.objects, each.rows, each.indexSets) for each in found}
    assert list(facts) == sorted(facts)
    assert facts == {
        'Shop': (1, 1, {}),
        'Shop:Tracks': (
            MANY,
            MANY,
            {'genre': 3, 'isrc': MANY, 'kind': 1, 'mood': 2, 'year': 7},
        ),
        'String': (0, 0, {}),
        '{Odd}:*?\u00e9 :x': (5, 5, {'a': 5}),
    }
    info = tracks.objects.info()
    tracks_found = next(each for each in found if each.keyName == 'Shop:Tracks')
    assert abs(tracks_found.memory - info.memory) < 0.05 * info.memory
    assert json.loads(json.dumps(tracks_found.asDict()))['objects'] == MANY
    assert str(tracks_found).startswith('Shop:Tracks: 1,200 objects, about ')
    raw.delete('_ir_|String:keys')


def test_models_of_another_database(tracks):
    params = {**IR.getDefaultRedisConnectionParams(), 'db': 3}
    assert IR.findModels(params) == []
    told = []
    assert len(IR.findModels(sample=1, progress=lambda *step: told.append(step))) == 1
    assert told[-1][0] == 'keys'
    assert told[-1][1] == told[-1][2]


def test_the_steps_are_bounded(tracks, trips):
    """No command that a whole data set answers at once, no script over more than 100 keys."""
    trips.clear()
    tracks.objects.info()
    IR.findModels()
    commands = [command for trip in trips for command in trip]
    names = {command[0] for command in commands}
    assert names <= {*('EVALSHA', 'SCAN', 'SSCAN', 'SRANDMEMBER', 'SCARD', 'GET', 'TYPE', 'DBSIZE')}
    assert max(command[2] for command in commands if command[0] == 'EVALSHA') <= 100
    assert {command[-1] for command in commands if command[0] in ('SCAN', 'SRANDMEMBER')} == {500}


@pytest.mark.clusters
def test_a_replica_answers_too(tracks, server, new_server, raw):
    raw.config_set('repl-diskless-sync-delay', 0)
    replica = new_server(replicaof=f'{server.host} {server.port}')
    with replica.client() as client:
        end = time.monotonic() + 20
        while client.info('replication')['master_link_status'] != 'up' or not client.dbsize():
            assert time.monotonic() < end, 'the replica did not catch up'
            time.sleep(0.02)
    models = IR.findModels()
    size, plan = tracks.objects.info().asDict(), tracks.objects.filter(genre='jazz').explain()
    IR.setDefaultRedisConnectionParams(dict(replica.params))
    assert [model.objects for model in IR.findModels()] == [model.objects for model in models]
    there = tracks.objects.info().asDict()
    assert there['objects'] == size['objects']
    assert there['fields'][1]['index']['top'] == size['fields'][1]['index']['top']
    explained = tracks.objects.filter(genre='jazz').explain(analyze=True)
    assert explained.measured.rows == plan.rows.estimate == 600
