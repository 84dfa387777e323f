"""repair(). The rule: afterwards both judges are content, and what was right is as it was."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from judge import damages
from judge.checker import check_model
from judge.damages import BASE, FOR_PEOPLE, REPAIRABLE
from selection.choosing import examples
from support.keyspace import dump

from IndexedRedis import IRField, WrongKeyTypeError
from IndexedRedis._core.integrity import check as checking
from IndexedRedis._core.integrity import keyspace, probe, repair
from IndexedRedis._core.locking import locks

pytestmark = pytest.mark.names_keys

FIELDS = ['title', 'artist', IRField('year', valueType=int), IRField('album', hashIndex=True)]
NAMES = ('title', 'artist', 'year', 'album')
INDEXED = ['artist', 'year', 'album']
ONLY_CHECK_SEES = ('field gone', 'zeros in the counter')
LOCK = f'{BASE}tmp:lock'


@pytest.fixture
def sound(make_model):
    return damages.fill(make_model(FIELDS, indexed=INDEXED, key_name=damages.NAME))


@pytest.fixture
def neighbours(make_model, raw):
    """Another model below the same prefix, and keys of nobody."""
    model = make_model(FIELDS, indexed=INDEXED, key_name=f'{damages.NAME}:B')
    damages.fill(model)
    for name in ('', 'x', 'x:keys', ':B:C:data:7', ':B:C:tmp:x'):
        raw.set(f'_ir_|{damages.NAME}{name}', 'mine')
    return model


def apart(raw):
    """All keys that are not the model's, with their content."""
    own = (f'{BASE}{name}'.encode() for name in ('data:', 'idx:', 'tmp:'))
    starts, exact = tuple(own), (f'{BASE}keys'.encode(), f'{BASE}next'.encode())
    return {k: v for k, v in dump(raw).items() if k not in exact and not k.startswith(starts)}


def judges(model, raw, *others):
    """What either judge has to say."""
    return [*check_model(raw, model, others), *model.objects.check().counts.elements()]


@pytest.mark.parametrize('damage', REPAIRABLE)
@pytest.mark.damaged
def test_each_kind_of_damage_is_repaired(sound, neighbours, raw, damage):
    assert judges(sound, raw, neighbours) == []
    REPAIRABLE[damage].do(raw)
    if damage not in ONLY_CHECK_SEES:
        assert check_model(raw, sound, [neighbours])
    others = apart(raw)
    report = sound.objects.repair()
    assert report.ok, str(report)
    assert report.repaired == report.counts == REPAIRABLE[damage].counts
    assert judges(sound, raw, neighbours) == []
    assert apart(raw) == others
    assert sound.objects.repair().counts == {}


@pytest.mark.parametrize('heal', ['repair', 'reset', 'destroyModel'])
@pytest.mark.damaged
def test_junk_in_the_work_keys_of_a_dead_reset_is_skipped(sound, neighbours, raw, heal):
    """It names keys of the model and of another, and ranges that would take years to sweep."""
    damages.spoil(raw)
    raw.sadd(f'{BASE}tmp:other:keys', 1)
    raw.expire(f'{BASE}tmp:other:keys', 60)
    others = apart(raw)
    if heal == 'repair':
        report = sound.objects.repair()
        assert report.ok
        assert report.repaired == report.counts
        assert len(sound.objects.all()) == 3
    elif heal == 'reset':
        sound.reset([sound(title='new')])
    else:
        sound.deleter.destroyModel()
    assert judges(sound, raw, neighbours) == []
    assert not raw.keys(f'{BASE}tmp:token:*')
    assert raw.exists(f'{BASE}tmp:other:keys') or heal == 'destroyModel'
    assert apart(raw) == others


@pytest.mark.damaged
def test_destroyModel_goes_on_where_a_committed_write_cannot_be_finished(sound, raw):
    """An index set, and a work key, hold another type."""
    raw.hset(f'{BASE}tmp:resets', mapping={'token': 'committed', 'other': 'staging'})
    raw.hset(f'{BASE}tmp:token:left', '3', '6:update6:artist1:x')
    raw.set(f'{BASE}idx:artist:x', 'no set')
    raw.set(f'{BASE}tmp:other:ranges', 'no set')
    with pytest.raises(WrongKeyTypeError, match='idx:artist:x'):
        sound.reset([])
    sound.deleter.destroyModel()
    assert {*raw.keys(f'{BASE}*')} == {
        f'{BASE}{name}'.encode() for name in ('next', 'tmp:incarnations')
    }


JUNK_OF_LEFT = {
    **dict.fromkeys(('abc', '', '01', '-3', '0', '9007199254740991', '9' * 30), ''),
    **{'5': 'x', '6': '6:update1:a', '7': '-6:update', '9': '3:put5:title'},
    **{'10': '6:remove', '11': '6:update5:title9:x', '12': b'\xff', '13': '99999999999:x'},
}


@pytest.mark.parametrize('heal', ['repair', 'reset', 'save'])
@pytest.mark.damaged
def test_junk_among_the_rows_of_a_committed_write_is_skipped(sound, neighbours, raw, heal):
    """What is no junk is carried out: object 2 is deleted, and object 3 gets a title."""
    others = apart(raw)
    obj = sound.objects.get(1)
    raw.hset(f'{BASE}tmp:resets', 'token', 'committed')
    raw.hset(f'{BASE}tmp:token:left', mapping={'2': '', '3': '6:update5:title3:new'})
    assert sound.objects.check().counts == {'leftover': 1}
    raw.hset(f'{BASE}tmp:token:left', mapping=JUNK_OF_LEFT)
    junk = {'leftover': 1, 'work_invalid': len(JUNK_OF_LEFT)}
    if heal == 'repair':
        report = sound.objects.repair()
        assert report.ok
        assert report.repaired == report.counts == junk
    elif heal == 'reset':
        assert sound.objects.check().counts == junk
        sound.reset([sound(title='only')])
    else:
        obj.title = 'changed'
        obj.save()
    titles = {1: 'changed' if heal == 'save' else 'Waterloo', 3: 'new'}
    titles = {4: 'only'} if heal == 'reset' else titles
    assert {each._id: each.title for each in sound.objects.all()} == titles
    assert judges(sound, raw, neighbours) == []
    assert not raw.keys(f'{BASE}tmp:token:*')
    assert apart(raw) == others


@pytest.mark.large
@pytest.mark.damaged
def test_more_ranges_than_one_page_are_swept(sound, raw):
    raw.hset(f'{BASE}tmp:resets', 'token', 'staging')
    raw.sadd(f'{BASE}tmp:token:ranges', *(f'{pk} 2' for pk in range(4, 3004, 2)))
    raw.set(f'{BASE}next', 3003)
    for pk in range(4, 3004):
        raw.hset(f'{BASE}data:{pk}', 'artist', 'Abba')
    raw.sadd(f'{BASE}idx:artist:Abba', *range(4, 3004))
    assert sound.objects.repair().ok
    assert judges(sound, raw) == []
    assert not raw.keys(f'{BASE}data:????')


@pytest.mark.large
@pytest.mark.damaged
def test_more_dead_resets_than_one_look_sees(sound, raw):
    raw.hset(f'{BASE}tmp:resets', mapping={f'token{n}': 'staging' for n in range(3000)})
    counts = sound.objects.check().counts
    assert list(counts) == ['leftover']
    assert 400 < counts['leftover'] <= 1500
    assert sound.objects.repair().ok
    assert not raw.exists(f'{BASE}tmp:resets')


@pytest.mark.parametrize('damage', [name for name in REPAIRABLE if 'much' not in name])
@pytest.mark.damaged
def test_objects_that_are_sound_stay_as_they_are(sound, raw, damage):
    third = raw.hgetall(f'{BASE}data:3')
    REPAIRABLE[damage].do(raw)
    sound.objects.repair()
    assert raw.hgetall(f'{BASE}data:3') == third
    assert raw.ttl(f'{BASE}data:3') == -1
    assert sound.objects.get(3).title == 'T.N.T.'
    for name, value in zip(NAMES[1:], damages.SONGS[2][1:], strict=True):
        assert 3 in sound.objects.filter(**{name: value}).getPrimaryKeys()


@pytest.mark.damaged
def test_a_sound_model_is_left_as_it_is(sound, neighbours, raw):
    before = dump(raw)
    report = sound.objects.repair()
    assert (report.ok, report.counts, report.repaired) == (True, {}, {})
    assert dump(raw) == before


@pytest.mark.parametrize('damage', FOR_PEOPLE)
@pytest.mark.damaged
def test_what_cannot_be_repaired_stays_and_stops_nothing(sound, neighbours, raw, damage):
    FOR_PEOPLE[damage].do(raw)
    before = dump(raw)
    report = sound.objects.repair()
    assert not report.ok
    assert (report.counts, report.repaired) == (FOR_PEOPLE[damage].counts, {})
    assert dump(raw) == before
    if 'listed pks' in damage:
        return
    REPAIRABLE['entry of a stranger'].do(raw) if 'index set' not in damage else None
    raw.sadd(f'{BASE}idx:year:1900', 1, 50)
    raw.srem(f'{BASE}idx:year:1974', 1)
    report = sound.objects.repair()
    repaired = report.repaired
    assert repaired['entry_stale'] == repaired['entry_missing'] == 1
    assert repaired['entry_gone'] == (1 if 'index set' in damage else 2)
    assert report.counts - repaired == FOR_PEOPLE[damage].counts
    assert sound.objects.check().counts == FOR_PEOPLE[damage].counts


@pytest.mark.damaged
def test_a_field_that_was_added_and_one_that_is_not_indexed_any_more(sound, make_model, raw):
    newer = make_model(
        [*FIELDS, IRField('genre', defaultValue='pop')],
        indexed=['artist', 'genre'],
        key_name=damages.NAME,
    )
    assert newer.objects.check().counts == {'entry_missing': 3, 'index_unused': 5}
    assert newer.objects.repair().ok
    assert newer.objects.filter(genre='pop').count() == 3
    assert raw.keys(f'{BASE}idx:year:*') == raw.keys(f'{BASE}idx:album:*') == []
    assert judges(newer, raw) == []


@pytest.mark.large
@pytest.mark.damaged
def test_many_pages(sound, raw, monkeypatch):
    for module in (checking, keyspace):
        monkeypatch.setattr(module, 'PROBES_IN_TRIP', 70)
    for module, name in (
        (probe, 'PROBE_CALLS'),
        (repair, 'REPAIRS'),
        (keyspace, 'KEYS_IN_SCRIPT'),
    ):
        monkeypatch.setattr(module, name, 30)
    songs = [sound(title='x', artist=f'a{n % 5}', year=n, album=f'b{n}') for n in range(2000)]
    pks = sound.saver.save(songs)
    raw.delete(*(f'{BASE}data:{pk}' for pk in pks[:500]))
    raw.srem(f'{BASE}keys', *pks[500:1000])
    for pk in pks[1000:1500]:
        raw.hset(f'{BASE}data:{pk}', 'artist', 'other')
    raw.sadd(f'{BASE}idx:artist:stale', *pks[1500:])
    for n in range(300):
        raw.sadd(f'{BASE}idx:genre:{n}', n)
    report = sound.objects.repair()
    assert report.counts == {
        **{'row_missing': 500, 'row_unlisted': 500, 'entry_gone': 3000},
        **{'entry_stale': 1000, 'entry_missing': 500, 'index_unused': 300},
    }
    assert report.ok
    assert judges(sound, raw) == []
    assert sound.objects.getPrimaryKeys(True) == [1, 2, 3, *pks[1000:]]
    assert sound.objects.filter(artist='other').getPrimaryKeys(True) == pks[1000:1500]


def test_a_reset_that_runs_is_waited_for(sound, raw, monkeypatch):
    REPAIRABLE['reset that died staging'].do(raw)
    raw.set(LOCK, 'other', px=300)
    assert sound.objects.repair().ok
    assert not raw.exists(LOCK)


@pytest.mark.damaged
def test_a_reset_that_runs_for_long_holds_up_the_sweeping_only(sound, raw, monkeypatch):
    monkeypatch.setattr(locks, 'WAIT_SECONDS', 0.2)
    REPAIRABLE['reset that died staging'].do(raw)
    REPAIRABLE['entry of a stranger'].do(raw)
    raw.set(LOCK, 'other', px=60_000)
    report = sound.objects.repair()
    assert not report.ok
    assert report.counts == {'leftover': 1, 'entry_gone': 1}
    assert report.repaired == {'entry_gone': 1}
    assert raw.get(LOCK) == b'other'
    assert raw.exists(f'{BASE}data:4')
    raw.delete(LOCK)
    assert sound.objects.repair().ok
    assert judges(sound, raw) == []


def test_a_running_reset_keeps_what_it_has_staged_and_replaced(sound, raw):
    REPAIRABLE['reset that died staging'].do(raw)
    raw.sadd(f'{BASE}tmp:token:old', 5)
    raw.hset(f'{BASE}data:5', 'title', 'x')
    raw.set(LOCK, 'token', px=60_000)
    before = dump(raw)
    assert sound.objects.repair().counts == {}
    assert dump(raw) == before
    raw.delete(LOCK)
    assert sound.objects.repair().ok


@pytest.mark.parametrize('what', ['add', 'remove'])
@pytest.mark.damaged
def test_a_reset_is_told_of_sets_that_a_repair_fills(sound, raw, what):
    raw.set(LOCK, 'token', px=60_000)
    damage = 'entry gone' if what == 'add' else 'entry of a stranger'
    REPAIRABLE[damage].do(raw)
    assert sound.objects.repair().ok
    touched = {f'{BASE}idx:artist:Abba'.encode()} if what == 'add' else set()
    assert raw.smembers(f'{BASE}tmp:touched') == touched


@pytest.mark.damaged
def test_a_writer_between_look_and_mending_is_not_undone(sound, raw, monkeypatch):
    """The object changes after the look; what is wrong about its new value is mended instead."""
    REPAIRABLE['stale entry'].do(raw)
    obj, wanted, hits = sound.objects.get(1), repair._entries_command, []

    def late(schema, findings):
        command = wanted(schema, findings)
        hits.append(len(findings))
        if len(hits) == 1:
            raw.hset(f'{BASE}data:1', 'artist', 'Queen')  # as a writer would have it:
            raw.srem(f'{BASE}idx:artist:Abba', 1)  # now the entry is right
        return command

    monkeypatch.setattr(repair, '_entries_command', late)
    report = sound.objects.repair()
    assert hits == [1]
    assert (report.counts, report.ok) == ({'entry_stale': 1}, True)
    assert raw.sismember(f'{BASE}idx:artist:Queen', 1)
    assert judges(sound, raw) == []
    assert obj._id == 1


@pytest.mark.damaged
def test_an_index_set_that_turns_into_something_else_stops_nothing(sound, raw, monkeypatch):
    wanted = repair._entries_command
    key = f'{BASE}idx:artist:Abba'

    def late(schema, findings):
        raw.delete(key)
        raw.set(key, 'x')
        return wanted(schema, findings)

    raw.srem(key, 1)
    raw.sadd(f'{BASE}idx:year:1900', 1)
    monkeypatch.setattr(repair, '_entries_command', late)
    report = sound.objects.repair()
    assert report.counts == {'entry_missing': 1, 'entry_stale': 1, 'wrong_type': 1}
    assert report.counts - report.repaired == {'wrong_type': 1}
    assert raw.get(key) == b'x'


PK = st.sampled_from(['1', '2', '3', '4', '5', '9', '0', 'x', '01'])
ENTRY = st.sampled_from(['a:x', 'a:y', 'a:', 'b:1', 'b:2', 'b:IRNullType()', 'c:x', 'a', 'ab:x'])
VALUE = st.sampled_from(['x', 'y', '', '1', '2', 'IRNullType()'])
COMMANDS = st.one_of(
    st.tuples(st.sampled_from(['SADD', 'SREM']), st.just('keys'), PK),
    st.tuples(st.sampled_from(['SADD', 'SREM']), ENTRY.map('idx:{}'.format), PK),
    st.tuples(
        st.just('HSET'),
        st.sampled_from(['1', '2', '3', '4', '5', '9']).map('data:{}'.format),
        st.sampled_from('abc'),
        VALUE,
    ),
    st.tuples(st.just('HDEL'), st.sampled_from(['data:1', 'data:2']), st.sampled_from('abc')),
    st.tuples(
        st.sampled_from(['DEL', 'PERSIST']),
        st.sampled_from(
            ['keys', 'next', 'data:1', 'data:2', 'idx:a:x', 'tmp:t:sets', 'tmp:resets']
        ),
    ),
    st.tuples(
        st.just('EXPIRE'),
        st.sampled_from(['keys', 'next', 'data:1', 'data:9', 'idx:a:x', 'tmp:t:old']),
        st.just('1000'),
    ),
    st.tuples(st.just('SET'), st.just('next'), st.sampled_from(['', '1', '40', 'x', '01', '-2'])),
    st.tuples(st.just('SET'), st.just('tmp:lock'), st.just('t')),
    st.tuples(st.just('HSET'), st.just('tmp:resets'), st.just('t'), st.just('staging')),
    st.tuples(st.just('SADD'), st.just('tmp:t:old'), PK),
    st.tuples(st.just('SADD'), st.just('tmp:t:ranges'), st.sampled_from(['4 2', '1 1'])),
    st.tuples(st.just('SADD'), st.just('tmp:t:sets'), st.just('_ir_|Any:tmp:t:idx:a:x')),
    st.tuples(st.just('SADD'), st.just('tmp:t:idx:a:x'), PK),
)


@pytest.mark.damaged
@settings(max_examples=examples(150), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(commands=st.lists(COMMANDS, max_size=12))
def test_any_damage(make_model, raw, commands):
    raw.flushdb()
    model = make_model(['a', IRField('b', valueType=int), 'c'], indexed=['a', 'b'], key_name='Any')
    model.saver.save([model(a='x', b=1, c='c'), model(a='y', b=2), model(a='x'), model(b=1)])
    for command, key, *rest in commands:
        raw.execute_command(command, f'_ir_|Any:{key}', *rest)
    listed = {pk for pk in raw.smembers('_ir_|Any:keys') if raw.exists(b'_ir_|Any:data:' + pk)}
    rows = {pk: raw.hgetall(b'_ir_|Any:data:' + pk) for pk in listed if pk.isdigit()}
    checked = model.objects.check()
    report = model.objects.repair()
    assert report.ok, str(report)
    assert checked.ok == (not report.counts)
    assert judges(model, raw) == [], str(report)
    for pk, row in rows.items():
        assert raw.hgetall(b'_ir_|Any:data:' + pk) == row
    assert {b'%d' % pk for pk in model.objects.getPrimaryKeys()} == rows.keys()
