"""What a person sees on a terminal of 80x24: no line is wider, and words are whole.

The rule: a text on a terminal has the words of the plain text, in their order.
"""

from __future__ import annotations

import re

import pytest
from rich.cells import cell_len
from support.servers import free_port

from cli.commands import command, lines_of, on_terminal
from cli.shop import Address, Short
from cli.unsorted import Track
from IndexedRedis.demo import data
from IndexedRedis.demo.linked import Artist

pytestmark = pytest.mark.programs

CHARTS = set('▁▂▃▄▅▆▇█▏▎▍▌▋▊▉')
LEVELS = set('▁▂▃▄▅▆▇█')
TRACK = 'unsorted:Track'


def shown(*args, status=0, **options):
    """The lines that a command shows, which fit."""
    ended, seen = on_terminal(*args, **options)
    assert ended == status, seen
    lines = lines_of(seen)
    assert [line for line in lines if cell_len(line) > 80] == []
    return lines


def has_words(lines, text):
    return ' '.join(text.split()) in ' '.join(' '.join(lines).split())


@pytest.fixture
def catalogue(url, watch_models, tmp_path):
    """The models of the demo, filled from its database."""
    watch_models(Artist, Track)
    engine = data.build(tmp_path / 'shop.db')
    with engine.connect() as connection:
        for model, rows in ((Artist, data.table_of(data.Artist).select()), (Track, data.TRACKS)):
            model.reset(model(**row) for row in connection.execute(rows).mappings())
    engine.dispose()
    return url


@pytest.fixture
def addresses(url, watch_models):
    watch_models(Address)
    names = [field.name for field in Address.FIELDS]
    # Two values, which 100 and 20 objects have, of several words.
    Address.reset(
        [
            Address(**dict.fromkeys(names, f'a value of {"many" if n % 6 else "few"} objects'))
            for n in range(120)
        ]
    )
    return url


def test_models(catalogue):
    lines = shown('models', '--url', catalogue)
    rows = {line.split()[0]: line.split()[1:] for line in lines}
    assert rows['ChinookTrack'][:2] == ['3,503', '1,429']
    share = next(word for word in rows['ChinookTrack'] if word.endswith('%'))
    assert 50 < int(share[:-1]) < 100
    assert CHARTS.issuperset(rows['ChinookTrack'][-1])
    assert 'work keys' not in ' '.join(lines), 'there are none'


def test_a_model_with_a_long_name_is_a_block(addresses):
    lines = shown('models', '--url', addresses)
    block = lines[lines.index(Address.KEY_NAME) :]
    assert block[1:3] == ['  objects: 120', '  index sets: 16']
    assert block[4].startswith('  share: 100% █')


def test_info(catalogue):
    lines = shown('info', TRACK, '--url', catalogue, '--sample', 5000)
    report = Track.objects.info(5000)
    for line in report.head().splitlines():
        # The server's figures of the same rows change a little from one moment to the next.
        assert 'memory' in line or has_words(lines, line)
    assert re.search(r'memory: about [\d.]+ MB: rows [\d.]+ \w+, index sets', ' '.join(lines))
    rows = [line.split() for line in lines]
    assert ['track_id', 'IRField(int)'] in rows
    (genre, top) = (row for row in rows if row[0] == 'genre')
    assert genre[:6] == ['genre', 'IRField(str)', '25', '1', 'to', '1,297']
    assert CHARTS.issuperset(genre[-1])
    assert top[:-1] == ['genre', 'Rock', '1,297,', 'Latin', '579,', 'Metal', '374']
    assert (len(top[-1]), top[-1][0]) == (10, '█')
    assert LEVELS.issuperset(top[-1])


def test_info_of_twenty_long_names(addresses):
    lines = shown('info', 'shop:Address', '--url', addresses)
    report = Address.objects.info()
    assert has_words(lines, report.tail()), 'the advice'
    for field in Address.FIELDS:
        block = lines[lines.index(field.name) :]
        assert block[1] == '  type: IRField(str)'
        if field.name in Address.INDEXED_FIELDS:
            assert block[2:4] == ['  index sets: 2', '  objects each: 20 to 100']
            assert block[5].startswith('  share: ')
    words = set(' '.join(lines).split())
    assert words >= {"'a", 'value', 'many', 'few', "objects'", '100,', '20'}


def test_explain(catalogue):
    filters = ['artist=Queen', 'genre=Rock', 'composer__ne=Freddie Mercury']
    lines = shown('explain', TRACK, *filters, '--url', catalogue)
    plain = command('explain', TRACK, *filters, '--url', catalogue).out
    assert has_words(lines, plain[: plain.index('  sets:')])
    assert has_words(lines, plain[plain.index('  commands:') :])
    rows = [line.split() for line in lines]
    assert ['_ir_|ChinookTrack:idx:artist:Queen', '45', 'in', 'it', 'starts', 'here'] in rows


def test_sets_of_long_names_are_blocks(addresses):
    name = Address.INDEXED_FIELDS[0]
    lines = shown('explain', 'shop:Address', f'{name}=x', '--url', addresses)
    block = lines[lines.index('_ir_|webshop:production:customers:CustomerShippingAddress:keys') :]
    assert block[1:3] == ['  members: 120', '  rows are: in it']


@pytest.mark.parametrize('args', [['info', 'shop:Short'], ['models']], ids=str)
def test_nothing_is_stored(args, url):
    lines = shown(*args, '--url', url)
    assert any('Another server is named by --url or INDEXEDREDIS_URL.' in line for line in lines)
    assert 'Another server' not in command(*args, '--url', url).errors


def test_no_server():
    url = f'redis://127.0.0.1:{free_port()}/0'
    lines = shown('info', 'shop:Short', '--url', url, status=2)
    assert lines[0].startswith('error: '), 'and no bar before it'
    assert has_words(lines, 'name another one with --url redis://host:port/0')


def test_a_terminal_without_unicode_shows_no_charts(url, watch_models):
    watch_models(Short)
    Short.saver.save([Short(name=str(n), group=n % 5) for n in range(50)])
    for args in (['models'], ['info', 'shop:Short']):
        lines = shown(*args, '--url', url, env={'PYTHONIOENCODING': 'ascii'})
        assert ''.join(lines).isascii()
        assert not any('share' in line or 'top 10' in line for line in lines)
        assert any('50' in line.split() or '50,' in line.split() for line in lines)
