"""The parts of info() and findModels() that need no server."""

from __future__ import annotations

import pytest

from IndexedRedis._core.inspection.advice import advice
from IndexedRedis._core.inspection.databases import FoundModel
from IndexedRedis._core.inspection.model_info import FieldInfo, IndexInfo, ModelInfo, scaled
from IndexedRedis._core.keys import Keys, model_and_kind
from IndexedRedis._core.text import bytes_text

SHAPES = {
    b'_ir_|Song:keys': ('Song', 'keys', b''),
    b'_ir_|Song:next': ('Song', 'next', b''),
    b'_ir_|Song:data:7': ('Song', 'data', b'7'),
    b'_ir_|Song:idx:a:b:keys': ('Song', 'idx', b'a:b:keys'),
    b'_ir_|Song:idx:a:x:data:1': ('Song', 'idx', b'a:x:data:1'),
    b'_ir_|Song:idx:a:two\nlines': ('Song', 'idx', b'a:two\nlines'),
    b'_ir_|A:B:tmp:lock': ('A:B', 'tmp', b'lock'),
    b'_ir_|A:idxes:keys': ('A:idxes', 'keys', b''),
    b'_ir_|A:keys:x': None,
    b'_ir_|A': None,
    b'_ir_|:keys': None,
    b'x_ir_|A:keys': None,
    b'_ir_|\xff:keys': None,
}


@pytest.mark.parametrize('key', SHAPES, ids=repr)
def test_keys_say_whose_they_are(key):
    assert model_and_kind(key) == SHAPES[key]


def test_the_pattern_finds_no_rows():
    assert Keys('A*').pattern_but_rows == b'_ir_|A\\*:[it]*'


@pytest.fixture
def info():
    index = IndexInfo()
    index.sets, index.entries, index.smallest, index.memory = 2, 1000, 100, 1500
    index.top = [(b'rock', 900), (b'pop', 100)]
    fields = [FieldInfo('genre', 'IRField(str)', index, False)]
    info = ModelInfo('Song', 'Shop:Song', [*fields, FieldInfo('x', 'IRField(int)', None, False)])
    info.objects = info.next = 1000
    info.rowMemory, info.keysMemory, info.rowsSampled, info.setsSampled = 1_000_000, 500, 10, 2
    info.encodings['listpack'] = 10
    return info


def test_the_text(info):
    info.unused['old'] = 3
    info.advice += advice(info)
    assert str(info) == (
        'Song (KEY_NAME Shop:Song)\n'
        '  objects: 1,000, last pk handed out: 1,000\n'
        '  memory: about 1.0 MB: rows 1.0 MB, index sets 1.5 kB, set of all pks 500 bytes '
        '(from 10 rows and 2 index sets)\n'
        '  rows: 10 listpack (10 sampled)\n'
        '  fields:\n'
        '    genre: IRField(str), indexed: 2 values of 100 to 900 objects, 500.0 on average\n'
        '      most frequent: rock 900, pop 100\n'
        '    x: IRField(int)\n'
        '  not indexed, but has 3 index sets: old\n'
        '  advice:\n'
        '    - genre: rock has 90% of all objects, so filters by it are not selective.\n'
        '    - Index sets of fields that are not indexed: old (3). Call objects.repair().'
    )
    assert repr(info) == '<ModelInfo Song: 1,000 objects>'
    assert info.asDict()['memory']['total'] == 1_002_000


def test_nothing_to_say(info):
    info.fields[0].index.top = [(b'rock', 500), (b'pop', 500)]
    assert advice(info) == []


def test_rows_with_many_fields(info):
    info.fields[0].index.top = [(b'rock', 500), (b'pop', 500)]
    info.encodings.clear()
    info.encodings['hashtable'], info.width = 10, 200.0
    (text,) = advice(info)
    assert text.startswith('100% of the rows are hash tables, as they have 200 fields')


def test_entries_that_do_not_add_up(info):
    info.fields[0].index.entries = 700
    assert any('700 entries for 1,000 objects' in text for text in advice(info))


SIZES = {None: '?', 0: '0 bytes', 999: '999 bytes', 1000: '1.0 kB', 2_345_678: '2.3 MB'}
SIZES |= {10**10: '10.0 GB', 10**16: '10000.0 TB'}


@pytest.mark.parametrize('size', SIZES, ids=str)
def test_sizes_for_people(size):
    assert bytes_text(size) == SIZES[size]


def test_samples_are_scaled():
    assert scaled(100, 10, 1000) == 10_000
    assert scaled(100, 10, 10) == scaled(100, 10, 9) == 100
    assert scaled(0, 0, 5) == 0


def test_a_found_model():
    found = FoundModel('A\x1b')
    assert str(found) == r"'A\x1b': 0 objects, about ?, index sets: none"
    assert repr(found) == r"<FoundModel 'A\x1b': 0 objects>"
