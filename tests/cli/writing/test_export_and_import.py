"""``export`` and ``import``: what comes back is what was there, byte for byte, or nothing."""

from __future__ import annotations

import base64
import json
import os
import stat

import pytest
from support.keyspace import dump

from cli.commands import command, on_terminal
from cli.everything import Everything, objects
from cli.shop import Artist, Short, Song
from IndexedRedis.cli.commands.data import exporting


@pytest.fixture
def songs(url, watch_models):
    """Songs that link to each other, with values of each temper."""
    watch_models(Song, Artist)
    abba = Artist(name='Abba')
    first = Song(title='Waterloo\nOh', year=1974, raw=b'\xff\x00', anything=[1], artist=abba)
    first.save()
    Song(title='', lyrics='\u2028 "quoted" \\', covers=[first]).save()
    Song(title='IRNull', anything=None, raw='').save()
    return url


@pytest.fixture
def shorts(url, watch_models):
    watch_models(Short)
    Short.saver.save([Short(name=f'n{n}', group=n % 7) for n in range(700)])
    return url


def rows(raw):
    """All that is stored of objects, without what a reset notes, and what it is about to remove."""
    return {
        key: value
        for key, value in dump(raw).items()
        if b':tmp:' not in key and raw.pttl(key) == -1
    }


def exported(url, tmp_path, target='shop:Short'):
    file = tmp_path / f'{target.replace(":", ".")}.jsonl'
    done = command('export', target, '--output', file, '--url', url)
    assert done.status == 0, done.errors
    return file


# -- the round trip --------------------------------------------------------------------------


def test_the_format(songs):
    done = command('export', 'shop:Song', '--url', songs)
    first, *lines, last = map(json.loads, done.raw.splitlines())
    assert done.status == 0
    assert first['indexedredis'] == 1
    assert (first['model'], first['key_name']) == ('Song', 'Song')
    assert first['fields']['year'] == 'IRField(int)'
    by_pk = {line.pop('_id'): line for line in lines}
    assert by_pk[1] == {
        'title': 'Waterloo\nOh',
        'year': '1974',
        'lyrics': None,
        'raw': {'base64': '/wA='},
        'anything': {'base64': base64.b64encode(b'\x80\x02]q\x00K\x01a.').decode()},
        'artist': '1',
        'covers': None,
    }
    assert (by_pk[2]['title'], by_pk[2]['lyrics']) == ('', '\u2028 "quoted" \\')
    assert by_pk[2]['covers'] == '1'
    assert last == {'end': 3}


@pytest.mark.parametrize('how', [['--mode', 'add'], []], ids=['add', 'reset'])
def test_models_that_link_to_each_other(how, songs, raw, tmp_path):
    before = rows(raw)
    files = {target: exported(songs, tmp_path, target) for target in ('shop:Artist', 'shop:Song')}
    raw.flushall()
    for target, file in files.items():
        assert command('import', target, file, '--url', songs, *how).status == 0
    assert rows(raw) == before
    song = Song.objects.filter(title='Waterloo\nOh').first()
    assert (song.artist.name, song.anything) == ('Abba', [1])
    assert Song(title='new').save() == [4], 'the counter is past the pks'


# Not judged by the checker, which cannot know an index value that a user's field makes up.
@pytest.mark.parametrize('how', [['--mode', 'add'], []], ids=['add', 'reset'])
def test_every_field_type(how, url, raw, tmp_path):
    Everything.saver.save(objects())
    before = rows(raw)
    assert len(before) > 200
    file = exported(url, tmp_path, 'everything:Everything')
    raw.flushall()
    done = command('import', 'everything:Everything', file, '--url', url, *how)
    assert done.status == 0, done.errors
    assert rows(raw) == before


def test_what_fields_would_spell_otherwise_or_cannot_read(url, raw, tmp_path, watch_models):
    watch_models(Song)
    Song(title='x', year=1).save()
    strange = {b'anything': b'(lp0\nI1\naI2\na.', b'lyrics': b'\xff', b'year': b'007'}
    raw.hset('_ir_|Song:data:1', mapping=strange)
    Song.objects.repair()
    before = rows(raw)
    file = exported(url, tmp_path, 'shop:Song')
    raw.flushall()
    refused = command('import', 'shop:Song', file, '--url', url)
    assert refused.status == 2
    assert 'line 2: lyrics cannot be read' in refused.errors
    assert rows(raw) == {}
    done = command('import', 'shop:Song', file, '--url', url, '--keep-unreadable')
    assert done.status == 0, done.errors
    assert rows(raw) == before


def test_pickles_are_not_run(url, raw, tmp_path):
    lines = [
        {'indexedredis': 1, 'model': 'Song', 'fields': {'anything': 'IRPickleField()'}},
        {'_id': 1, 'anything': f"cposix\nsystem\n(S'touch {tmp_path}/ran'\ntR."},
        {'end': 1},
    ]
    given = '\n'.join(map(json.dumps, lines)).encode()
    assert command('import', 'shop:Song', '--url', url, given=given).status == 0
    assert command('export', 'shop:Song', '--url', url).status == 0
    assert not (tmp_path / 'ran').exists()


def test_a_field_that_rows_lack(url, raw, tmp_path, watch_models):
    watch_models(Short)
    Short(name='x', group=1).save()
    raw.hdel('_ir_|Short:data:1', 'group')
    Short.objects.repair()
    file = exported(url, tmp_path)
    assert json.loads(file.read_bytes().splitlines()[1]) == {'_id': 1, 'name': 'x'}
    assert command('import', 'shop:Short', file, '--url', url).status == 0
    assert raw.hget('_ir_|Short:data:1', 'group') == b'IRNullType()', 'its default'


def test_through_pipes(shorts, raw):
    before = rows(raw)
    done = command('export', 'shop:Short', '--url', shorts)
    assert done.errors == 'Short objects: 700 done\nShort: 700 objects\n'
    raw.flushall()
    again = command('import', 'shop:Short', '-', '--url', shorts, '--json', given=done.raw)
    assert again.json == {'model': 'Short', 'mode': 'reset', 'stored': 700}
    assert rows(raw) == before


def test_through_names_of_pipes(shorts, raw):
    """As of ``>(gzip)`` and ``<(zcat file)``."""
    exported = command('export', 'shop:Short', '--url', shorts, '-o', '/dev/stdout')
    assert (exported.status, b'"end"' in exported.raw) == (0, True)
    before = rows(raw)
    imported = command('import', 'shop:Short', '/dev/stdin', '--url', shorts, given=exported.raw)
    assert imported.status == 0, imported.errors
    assert rows(raw) == before


def test_an_empty_model(shorts, tmp_path):
    file = exported(shorts, tmp_path, 'shop:Artist')
    assert len(file.read_bytes().splitlines()) == 2
    Artist(name='x').save()
    assert command('import', 'shop:Artist', file, '--url', shorts).status == 0
    assert Artist.objects.count() == 0


def test_export_as_json(shorts, tmp_path):
    file = tmp_path / 'x.jsonl'
    done = command('export', 'shop:Short', '-o', file, '--url', shorts, '--json')
    assert done.json == {'model': 'Short', 'objects': 700, 'file': str(file)}


@pytest.mark.programs
def test_no_bar_among_the_lines_on_a_terminal(shorts):
    Short.objects.filter(group__ne='1').delete()
    status, seen = on_terminal('export', 'shop:Short', '--url', shorts)
    assert status == 0
    assert '\x1b' not in seen
    *lines, told = seen.splitlines()
    assert [json.loads(line) for line in lines][-1] == {'end': 100}
    assert told == 'Short: 100 objects'


# -- files -----------------------------------------------------------------------------------


def test_a_file_is_replaced_only_by_a_whole_export(shorts, tmp_path):
    file = exported(shorts, tmp_path)
    whole = file.read_bytes()
    link = tmp_path / 'link'
    link.symlink_to(file)
    done = command('export', 'shop:Short', '-o', link, '--url', 'redis://127.0.0.1:1')
    assert done.status == 2
    assert file.read_bytes() == whole
    Short(name='new').save()
    assert command('export', 'shop:Short', '-o', link, '--url', shorts).status == 0
    assert link.is_symlink()
    assert file.read_bytes().endswith(b'{"end": 701}\n')
    assert sorted(path.name for path in tmp_path.iterdir()) == ['link', file.name]


@pytest.mark.parametrize('mode', [0o600, 0o640, 0o664, 0o444])
def test_a_file_keeps_its_mode(shorts, tmp_path, mode):
    file = exported(shorts, tmp_path)
    file.chmod(mode)
    assert command('export', 'shop:Short', '-o', file, '--url', shorts).status == 0
    assert stat.S_IMODE(file.stat().st_mode) == mode


def test_only_the_owner_reads_a_new_file(shorts, tmp_path):
    """Whatever the umask, and already while it is being written."""
    file = tmp_path / 'new'
    before = os.umask(0)
    try:
        assert command('export', 'shop:Short', '-o', file, '--url', shorts).status == 0
        with exporting._opened(str(tmp_path / 'half')) as output:
            output.write(b'x')
            (half,) = tmp_path.glob('.half.*')
            assert stat.S_IMODE(half.stat().st_mode) == 0o600
    finally:
        os.umask(before)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_a_file_that_is_none(shorts):
    assert command('export', 'shop:Short', '-o', '/dev/null', '--url', shorts).status == 0
    with open('/dev/null', 'rb') as null:
        assert null.read() == b''


@pytest.mark.parametrize('name', ['export', 'import'])
def test_a_file_that_cannot_be_opened(name, shorts, tmp_path):
    file = tmp_path / 'missing' / 'file'
    args = ['-o', file] if name == 'export' else [file]
    done = command(name, 'shop:Short', *args, '--url', shorts)
    assert (done.status, done.out) == (2, '')
    assert 'No such file' in done.errors.splitlines()[-1]


# -- what is refused -------------------------------------------------------------------------

HEADER = {'indexedredis': 1, 'model': 'Short', 'fields': {}}
WRONG = {
    'nothing': ([], 'line 1: the line is no JSON'),
    'no header': ([{'_id': 1}], 'line 1: this is no export'),
    'another version': ([{**HEADER, 'indexedredis': 2}], 'version 2; this program reads version 1'),
    'another model': ([{**HEADER, 'model': 'Song'}], 'an export of Song, not of Short'),
    'another field': ([{**HEADER, 'fields': {'x': 'IRField(str)'}}], 'x, exported as IRField(str)'),
    'another type': (
        [{**HEADER, 'fields': {'group': 'IRField(str)'}}],
        'group, exported as IRField(str), is IRField(int) in Short',
    ),
    'fields of another shape': ([{**HEADER, 'fields': 5}], 'line 1: '),
    'no fields': ([{'indexedredis': 1, 'model': 'Short'}], 'line 1: '),
    'a list': ([HEADER, [1]], 'line 2: the line is no JSON object'),
    'no JSON': ([HEADER, {'_id': 1}, 'x{'], 'line 3: the line is no JSON'),
    'an empty line': ([HEADER, {'_id': 1}, ''], 'line 3: the line is no JSON'),
    'too deep': ([HEADER, '[' * 100_000], 'line 2: the line is no JSON'),
    'no pk': ([HEADER, {'_id': '1'}], "line 2: _id is '1', which is no primary key"),
    'pk 0': ([HEADER, {'_id': 0}], 'line 2: _id is 0'),
    'true': ([HEADER, {'_id': True}], 'line 2: _id is True'),
    'an unknown field': ([HEADER, {'_id': 1, 'nme': 'x'}], "line 2: there is no field 'nme'"),
    'a number': ([HEADER, {'_id': 1, 'name': 5}], 'line 2: name is neither text'),
    'other keys': ([HEADER, {'_id': 1, 'name': {'base65': ''}}], 'line 2: name is neither'),
    'no base64': ([HEADER, {'_id': 1, 'name': {'base64': '!'}}], 'line 2: name: '),
    'base64 of a number': ([HEADER, {'_id': 1, 'name': {'base64': 5}}], 'line 2: name: '),
    'a surrogate': ([HEADER, {'_id': 1, 'name': '\ud800'}], 'line 2: name: '),
    'a value': ([HEADER, {'_id': 1, 'group': 'x'}], 'line 2: group cannot be read: '),
    'a pk twice': ([HEADER, {'_id': 1}, {'_id': 1}, {'end': 2}], 'line 3: an earlier line has'),
    'cut short': ([HEADER, {'_id': 1}], 'line 3: the export was cut short'),
    'only a header': ([HEADER], 'line 2: the export was cut short'),
    'one lost': ([HEADER, {'_id': 1}, {'end': 2}], 'line 3: 2 objects were exported, 1 read'),
    'more': ([HEADER, {'end': 0}, {'_id': 1}], 'line 3: a line follows the end'),
}


def as_file(lines):
    texts = [line if isinstance(line, str) else json.dumps(line) for line in lines]
    return ''.join(f'{text}\n' for text in texts).encode()


@pytest.mark.either('mode')
@pytest.mark.parametrize('mode', ['reset', 'add'])
@pytest.mark.parametrize('case', WRONG)
def test_a_wrong_line_is_named_and_changes_nothing(case, mode, url, raw, watch_models):
    watch_models(Short)
    Short(name='here').save(), Short(name='there').save()
    Short.objects.filter().get(1).delete()
    before = rows(raw)
    lines, expected = WRONG[case]
    done = command('import', 'shop:Short', '--mode', mode, '--url', url, given=as_file(lines))
    assert (done.status, done.out) == (2, ''), done.errors
    error = done.errors.splitlines()[-1]
    assert error.startswith('error: ')
    assert expected in error
    assert 'Traceback' not in done.errors
    assert rows(raw) == before


# -- ways of importing -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ('added', 'out'),
    [
        (3, 'Short: 100 stored, 600 unchanged, 3 removed\n'),
        (1200, 'Short: 700 stored\n'),  # of more than a thousand that differ all are replaced
    ],
)
def test_reset_replaces_and_keeps_pks(shorts, raw, tmp_path, added, out):
    file = exported(shorts, tmp_path)
    before = rows(raw)
    Short.saver.save([Short(name='later') for _ in range(added)])
    Short.objects.filter(group=3).delete()
    done = command('import', 'shop:Short', file, '--url', shorts)
    assert (done.status, done.out) == (0, out)
    assert {**rows(raw), b'_ir_|Short:next': b''} == {**before, b'_ir_|Short:next': b''}


def test_reset_into_an_empty_model(shorts, raw, tmp_path):
    file = exported(shorts, tmp_path)
    before = rows(raw)
    Short.deleter.destroyModel()
    done = command('import', 'shop:Short', '--url', shorts, given=file.read_bytes())
    assert (done.status, done.out) == (0, 'Short: 700 stored\n')
    assert rows(raw) == before


def test_new_pks(shorts, raw, tmp_path):
    file = exported(shorts, tmp_path)
    assert command('import', 'shop:Short', file, '--new-pks', '--url', shorts).status == 0
    pks = Short.objects.getPrimaryKeys()
    assert (len(pks), min(pks)) == (700, 701)
    done = command('import', 'shop:Short', file, '--new-pks', '--mode', 'add', '--url', shorts)
    assert done.out == 'Short: 700 stored, 0 unchanged\n'
    assert Short.objects.filter(group=3).count() == 200


def test_add_leaves_equal_objects_and_refuses_others(shorts, raw, tmp_path):
    file = exported(shorts, tmp_path)
    Short.objects.filter(group=3).delete()
    before = rows(raw)
    later = Short(name='later')
    later.save()
    done = command('import', 'shop:Short', file, '--mode', 'add', '--url', shorts, '--json')
    assert done.json == {'model': 'Short', 'mode': 'add', 'stored': 100, 'unchanged': 600}
    later.delete()
    assert len(rows(raw)) == len(before) + 100 + 1, 'their index set as well'
    changed = Short.objects.get(300)
    changed.name = 'changed'
    changed.save()
    before = rows(raw)
    done = command('import', 'shop:Short', file, '--mode', 'add', '--url', shorts)
    assert done.status == 1
    assert 'another object has the pk 300' in done.errors
    assert rows(raw) == before


def test_lines_without_a_pk(url, watch_models):
    watch_models(Short)
    header = {**HEADER, 'fields': {'name': 'IRField(str)', 'group': 'IRField(int)'}}
    lines = [header, {'name': 'a', 'group': '1'}, {'name': 'b', '_id': 9}, {'end': 2}]
    for mode in ('reset', 'add'):
        done = command('import', 'shop:Short', '--mode', mode, '--url', url, given=as_file(lines))
        assert done.status == 0, done.errors
    assert sorted(obj.name for obj in Short.objects.all()) == ['a', 'a', 'b']


def test_fields_that_are_new_since_the_export(shorts, tmp_path):
    file = exported(shorts, tmp_path)
    (tmp_path / 'newer.py').write_text(
        'import shop\nfrom IndexedRedis import *\nclass Short(shop.Short):\n'
        "    FIELDS = [*shop.Short.FIELDS, IRField('mood', defaultValue='fine')]\n"
        "    INDEXED_FIELDS = ['group', 'mood']\n"
    )
    done = command('import', 'newer:Short', file, '--url', shorts, cwd=tmp_path)
    assert done.status == 0
    assert 'Short.mood is not in the export; it gets its default' in done.errors
    check = command('check', 'newer:Short', '--url', shorts, cwd=tmp_path, env={})
    assert check.status == 0, check.out
    command('repair', 'shop:Short', '--url', shorts, '--yes')
