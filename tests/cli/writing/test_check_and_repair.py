"""``check``, ``repair`` and ``reindex``: what they say, what they change, what they end with."""

from __future__ import annotations

import json

import pytest
from support.keyspace import dump

from cli.commands import command, on_terminal
from cli.shop import Artist, OldSong, Short, Song

FOUND = 'entry_stale: 1'


@pytest.fixture
def shorts(url, watch_models):
    watch_models(Short)
    Short.saver.save([Short(name=str(n), group=n % 5) for n in range(50)])
    return url


@pytest.fixture
def damaged(shorts, raw):
    raw.sadd('_ir_|Short:idx:group:7', '1')
    return shorts


@pytest.mark.parametrize('name', [['check'], ['repair', '--yes']], ids=' '.join)
def test_nothing_is_wrong(name, shorts, raw):
    before = dump(raw)
    done = command(*name, 'shop:Short', 'shop:Artist', '--url', shorts)
    assert done.status == 0
    assert done.out == (
        'Short: 50 objects and 50 index entries, nothing found\n'
        'Artist: 0 objects and 0 index entries, nothing found\n'
    )
    assert dump(raw) == before


@pytest.mark.damaged
def test_check_tells_what_is_wrong_and_changes_nothing(damaged, raw):
    before = dump(raw)
    done = command('check', 'shop:Artist', 'shop:Short', '--url', damaged)
    assert done.status == 1
    assert FOUND in done.out
    assert '_ir_|Short:idx:group:7 lists pk 1' in done.out
    assert dump(raw) == before


@pytest.mark.damaged
def test_check_as_json(damaged):
    done = command('check', 'shop:Short', 'shop:Artist', '--url', damaged, '--json')
    first, second = map(json.loads, done.out.splitlines())
    assert done.status == 1
    assert (first['model'], first['ok'], first['counts']) == ('Short', False, {'entry_stale': 1})
    assert (second['model'], second['ok']) == ('Artist', True)


def test_repair(damaged):
    done = command('repair', 'shop:Short', '--url', damaged, '--yes')
    assert done.status == 0
    assert f'{FOUND}, 1 repaired' in done.out
    assert command('check', 'shop:Short', '--url', damaged).status == 0


def test_repair_as_json(damaged):
    done = command('repair', 'shop:Short', '--url', damaged, '-y', '--json')
    assert done.status == 0
    assert done.json['repaired'] == {'entry_stale': 1}


@pytest.mark.damaged
def test_repair_leaves_what_is_for_people(shorts, raw):
    raw.set('_ir_|Short:data:abc', 'x')
    done = command('repair', 'shop:Short', '--url', shorts, '--yes')
    assert done.status == 1
    assert '_ir_|Short:data:abc' in done.out


@pytest.mark.damaged
def test_without_a_terminal_nothing_is_repaired_unasked(damaged, raw):
    before = dump(raw)
    done = command('repair', 'shop:Short', '--url', damaged, given=b'y\n')
    assert (done.status, done.out) == (2, '')
    assert '--yes' in done.errors
    assert dump(raw) == before


@pytest.mark.programs
def test_on_a_terminal_it_asks(damaged):
    answers = {'Repair Short? [y/N]': b'y\r'}
    status, seen = on_terminal('repair', 'shop:Short', '--url', damaged, answers=answers)
    assert status == 0, seen
    assert seen.index(FOUND) < seen.index('Repair Short?') < seen.index('1 repaired')
    status, seen = on_terminal('repair', 'shop:Short', '--url', damaged)
    assert status == 0, 'nothing to ask'
    assert 'nothing found' in seen


@pytest.mark.programs
@pytest.mark.damaged
@pytest.mark.parametrize(('answer', 'expected'), [(b'n\r', 1), (b'\r', 1), (b'\x03', 130)])
def test_on_a_terminal_one_can_say_no(answer, expected, damaged, raw):
    before = dump(raw)
    answers = {'Repair Short? [y/N]': answer}
    status, seen = on_terminal('repair', 'shop:Short', '--url', damaged, answers=answers)
    assert status == expected, seen
    assert 'Traceback' not in seen
    assert dump(raw) == before


def test_reindex(url, watch_models):
    watch_models(Song, Artist)
    abba = Artist(name='Abba')
    songs = [OldSong(title=f't{n}', year=n, artist=abba) for n in range(1200)]
    OldSong.saver.save(songs)
    assert Song.objects.filter(year=7).count() == 0
    done = command('reindex', 'shop:Song', '--url', url)
    assert (done.status, done.out) == (0, 'Song: 1,200 objects indexed\n')
    assert [song.title for song in Song.objects.filter(year=7).all()] == ['t7']
    assert Song.objects.filter(artist=abba).count() == 1200
    again = command('reindex', 'shop:Song', '--url', url, '--json')
    assert again.json == {'model': 'Song', 'objects': 1200}


def test_reindex_of_a_model_that_only_sorts(url, raw, make_model, tmp_path):
    (tmp_path / 'sorting.py').write_text(
        'from IndexedRedis import *\nclass Sorting(IndexedRedisModel):\n'
        "    FIELDS, SORTED_FIELDS, KEY_NAME = [IRField('name')], ['name'], 'Sorting'\n"
    )
    plain = make_model(['name'], key_name='Sorting')
    plain.saver.save([plain(name=name) for name in 'cab'])
    assert command('check', 'sorting:Sorting', '--url', url, cwd=tmp_path).status == 1
    done = command('reindex', 'sorting:Sorting', '--url', url, cwd=tmp_path)
    assert (done.status, done.out) == (0, 'Sorting: 3 objects indexed\n')
    assert raw.zrange('_ir_|Sorting:keys:sorted:name', 0, -1) == [b'2', b'3', b'1']
    assert command('check', 'sorting:Sorting', '--url', url, cwd=tmp_path).status == 0
    plain.SORTED_FIELDS = ['name']  # for the checker


def test_reindex_after_hash_index_changed(url, raw, make_model, tmp_path):
    (tmp_path / 'plain.py').write_text(
        'from IndexedRedis import *\nclass Plain(IndexedRedisModel):\n'
        "    FIELDS, INDEXED_FIELDS, KEY_NAME = [IRField('name')], ['name'], 'Plain'\n"
        "class Hashed(Plain):\n    FIELDS = [IRField('name', hashIndex=True)]\n"
    )
    plain = make_model(['name'], indexed=['name'], key_name='Plain')
    plain.saver.save([plain(name=str(n)) for n in range(5)])
    assert command('reindex', '--rehash', 'plain:Hashed', '--url', url, cwd=tmp_path).status == 0
    assert raw.keys('*:idx:name:3') == []
    assert command('check', 'plain:Hashed', '--url', url, cwd=tmp_path).status == 0
    assert command('reindex', '--rehash', 'plain:Plain', '--url', url, cwd=tmp_path).status == 0
    assert raw.smembers('_ir_|Plain:idx:name:3') == {b'4'}
