"""check(). The rule: it counts exactly what is wrong, names it, and writes nothing."""

from __future__ import annotations

import pytest
from judge import damages
from judge.damages import BASE, FOR_PEOPLE, REPAIRABLE
from support.keyspace import dump

from IndexedRedis import CheckReport, IRField, UsageError
from IndexedRedis._core.integrity import check as checking
from IndexedRedis._core.integrity import keyspace, probe
from IndexedRedis._core.keys import HIGHEST_PK

pytestmark = [pytest.mark.damaged, pytest.mark.names_keys]
DAMAGES = {**REPAIRABLE, **FOR_PEOPLE}


@pytest.fixture
def sound(make_model):
    fields = ['title', 'artist', IRField('year', valueType=int), IRField('album', hashIndex=True)]
    model = make_model(fields, indexed=['artist', 'year', 'album'], key_name=damages.NAME)
    return damages.fill(model)


@pytest.mark.parametrize('damage', DAMAGES)
def test_each_kind_of_damage_is_counted_and_named(sound, raw, damage):
    DAMAGES[damage].do(raw)
    before = dump(raw)
    report = sound.objects.check()
    assert report.counts == DAMAGES[damage].counts, str(report)
    assert not report.ok
    assert report.repaired == {}
    examples = [text for texts in report.examples.values() for text in texts]
    for text in DAMAGES[damage].texts:
        assert any(text in example for example in examples), (text, examples)
    assert {kind: len(texts) for kind, texts in report.examples.items()} == report.counts
    assert dump(raw) == before


def test_nothing_is_wrong_with_what_this_version_writes(sound, raw):
    report = sound.objects.check()
    assert isinstance(report, CheckReport)
    assert report.ok
    assert (report.counts, report.examples, report.repaired) == ({}, {}, {})
    assert (report.objects, report.entries) == (3, 9)
    sound.reset([sound(title='new'), sound.objects.get(1)])
    assert raw.exists(f'{BASE}data:2')  # it expires, so it may stay
    assert sound.objects.check().ok
    sound.objects.delete()
    assert sound.objects.check().ok


def test_nothing_is_wrong_with_a_model_without_objects(make_model):
    report = make_model(['a'], indexed=['a']).objects.check()
    assert (report.ok, report.objects, report.entries) == (True, 0, 0)


@pytest.mark.plain_model
def test_a_model_without_indexes(make_model, raw):
    model = make_model(['a'], key_name='Plain')
    model.saver.save([model(a=str(n)) for n in range(3)])
    assert model.objects.check().ok
    raw.delete('_ir_|Plain:data:1')
    raw.hset('_ir_|Plain:data:9', 'a', 'x')
    raw.sadd('_ir_|Plain:idx:a:1', 2)
    raw.set('_ir_|Plain:data:3', 'x')
    counts = {'row_missing': 1, 'row_unlisted': 1, 'index_unused': 1, 'wrong_type': 1}
    assert model.objects.check().counts == counts


@pytest.mark.plain_model
def test_keys_of_other_models_are_not_looked_at(sound, make_model, raw):
    make_model(['a'], indexed=['a'], key_name=f'{damages.NAME}:B')(a='x').save()
    for name in ('', ':', ':other', ':keys:x', 'x:keys', ':B:data:7', ':B:idx:a:y', ':B:tmp:x'):
        raw.set(f'_ir_|{damages.NAME}{name}', 'mine')
    assert sound.objects.check().ok


def test_a_running_reset_is_no_damage(sound, raw):
    REPAIRABLE['reset that died staging'].do(raw)
    raw.set(f'{BASE}tmp:lock', 'token', px=60_000)
    assert sound.objects.check().ok
    raw.set(f'{BASE}tmp:lock', 'other', px=60_000)
    assert sound.objects.check().counts == {'leftover': 1}


def test_junk_in_the_work_keys_of_a_dead_reset_is_named(sound, raw):
    damages.spoil(raw)
    before = dump(raw)
    report = sound.objects.check()
    counts = {name: len(members) for name, members in damages.JUNK.items()}
    assert report.counts == {'leftover': 1, 'work_invalid': sum(counts.values())}
    for text in (f'{BASE}tmp:token:ranges lists 4 -2,', f'{BASE}tmp:token:sets lists {BASE}keys,'):
        assert text in str(report) or len(report.examples['work_invalid']) == 10
    assert dump(raw) == before
    raw.set(f'{BASE}tmp:lock', 'token', px=60_000)  # it is alive
    assert sound.objects.check().ok


def test_what_is_in_doubt_is_no_damage(sound, raw):
    """Of more ranges than a script reads, each may hold the pk of an entry or of a row."""
    REPAIRABLE['reset that died staging'].do(raw)
    raw.set(f'{BASE}tmp:lock', 'token', px=60_000)
    raw.sadd(f'{BASE}idx:artist:Abba', 5000)
    raw.hset(f'{BASE}data:5000', 'title', 'x')
    raw.set(f'{BASE}next', 5000)
    for size, counts in ((999, {'entry_gone': 1, 'row_unlisted': 1}), (1000, {})):
        raw.sadd(f'{BASE}tmp:token:ranges', *(f'{n} 1' for n in range(6, 6 + size)))
        assert sound.objects.check().counts == counts
    assert sound.objects.repair().ok
    assert raw.exists(f'{BASE}data:5000')
    raw.delete(f'{BASE}tmp:lock')
    raw.sadd(f'{BASE}tmp:token:ranges', *(f'junk{n}' for n in range(5000)))
    counts = sound.objects.check().counts
    assert (counts.pop('leftover'), list(counts)) == (1, ['work_invalid'])
    assert 100 < counts['work_invalid'] <= 500


def test_a_row_beside_the_range_of_a_reset_is_damage(sound, raw):
    REPAIRABLE['reset that died staging'].do(raw)
    raw.set(f'{BASE}tmp:lock', 'token', px=60_000)
    raw.hset(f'{BASE}data:5', 'title', 'x')  # the range is 4 and 5
    assert sound.objects.check().ok
    raw.hset(f'{BASE}data:6', 'title', 'x')
    assert sound.objects.check().counts == {'row_unlisted': 1}


@pytest.mark.parametrize('pk', [HIGHEST_PK + 1, 2**53, 10**40])
def test_a_pk_beyond_the_highest_is_found_and_left(sound, raw, pk):
    raw.rename(f'{BASE}data:3', f'{BASE}data:{pk}')
    for key in [f'{BASE}keys', *raw.scan_iter(f'{BASE}idx:*')]:
        if raw.srem(key, 3):
            raw.sadd(key, pk)
    before = dump(raw)
    for report in (sound.objects.check(), sound.objects.repair()):
        assert (report.counts, report.repaired) == ({'pk_high': 1}, {})
        assert f'{BASE}keys lists {pk}, which is above the highest pk' in str(report)
    assert dump(raw) == before
    found = sound.objects.get(pk)
    copy = found.copy()
    assert copy.save() == [4]
    found.delete()
    assert sound.objects.check().ok


@pytest.mark.parametrize('pk', [HIGHEST_PK, HIGHEST_PK - 1])
def test_the_highest_pk_is_sound(sound, pk):
    sound.saver.save(sound(title='x', artist='y', year=1, album='z'), forceID=pk)
    assert sound.objects.check().ok


@pytest.mark.parametrize('method', ['check', 'repair'])
def test_filters_are_refused(sound, method):
    with pytest.raises(UsageError, match=rf'{method}\(\) .*{sound.__name__}\.objects'):
        getattr(sound.objects.filter(artist='Abba'), method)()


@pytest.mark.parametrize('method', ['check', 'repair'])
def test_progress_is_told_page_by_page(sound, raw, monkeypatch, method):
    sound.saver.save([sound(title='more', artist=f'a{n}', year=n) for n in range(1500)])
    told = []
    assert getattr(sound.objects, method)(lambda *step: told.append(step)).ok
    steps = [step for step, _, _ in told]
    assert steps == sorted(steps, reverse=True)
    assert steps.count('objects') >= 3
    assert steps.count('keys') >= 9
    for name in ('objects', 'keys'):
        of_step = [(done, total) for step, done, total in told if step == name]
        assert of_step == sorted(of_step)
        assert all(0 <= done <= total for done, total in of_step)
        assert of_step[-1][0] == of_step[-1][1]


@pytest.mark.large
def test_many_pages(sound, raw, monkeypatch):
    for module in (checking, keyspace):
        monkeypatch.setattr(module, 'PROBES_IN_TRIP', 70)
    monkeypatch.setattr(probe, 'PROBE_CALLS', 30)
    monkeypatch.setattr(keyspace, 'SETS_AT_ONCE', 3)
    songs = [sound(title='x', artist=f'a{n % 5}', year=n, album=f'b{n}') for n in range(2000)]
    pks = sound.saver.save(songs)
    raw.delete(*(f'{BASE}data:{pk}' for pk in pks[:500]))
    raw.srem(f'{BASE}keys', *pks[500:1000])
    for pk in pks[1000:1500]:
        raw.hset(f'{BASE}data:{pk}', 'artist', 'other')
    raw.sadd(f'{BASE}idx:artist:stale', *pks[1500:])
    report = sound.objects.check()
    assert report.counts == {
        **{'row_missing': 500, 'row_unlisted': 500, 'entry_gone': 3000},
        **{'entry_stale': 1000, 'entry_missing': 500},
    }
    assert (report.objects, report.entries) == (1503, 9 + 6000 + 500)
    assert [len(texts) for texts in report.examples.values()] == [10] * 5
