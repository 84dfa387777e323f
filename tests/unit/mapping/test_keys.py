"""The key layout: names that other programs, and the layers above the core, rely on."""

from __future__ import annotations

import pytest

from IndexedRedis import IRField
from IndexedRedis._core import keys as layout
from IndexedRedis._core.keys import Keys
from IndexedRedis.cli import walk
from IndexedRedis.mirror import lock

KEYS = Keys('Shop:Songs')


@pytest.mark.parametrize(
    ('name', 'kind'),
    [
        *((name, b'string') for name in (b'lock', b'swapped', b'mirrored', b'mirror')),
        *((name, b'set') for name in (b'touched', b'abc:keys', b'abc:idx:a:x:y')),
        *((b'abc:' + name, b'set') for name in layout.WORK),
        *((name, b'hash') for name in (b'resets', b'abc:data:7')),
        *((name, b'') for name in (b'abc', b'other', b'abc:other', b'abc:refused')),
    ],
)
def test_each_work_key_has_a_type(name, kind):
    assert KEYS.is_work(KEYS.tmp + name)
    assert KEYS.work_type(KEYS.tmp + name) == kind


def test_staged_keys_are_work_keys_named_after_what_they_become():
    assert KEYS.staged(b'abc', KEYS.all) == b'_ir_|Shop:Songs:tmp:abc:keys'
    assert KEYS.staged(b'abc', KEYS.index(b'a', b'x:y')) == b'_ir_|Shop:Songs:tmp:abc:idx:a:x:y'
    assert not KEYS.is_work(KEYS.all)


@pytest.mark.parametrize(
    ('text', 'highest', 'pks'),
    [
        (b'4 2', 5, range(4, 6)),
        (b'4 2', 4, range(0)),
        (b'1 1', 1, range(1, 2)),
        *((text, 10, range(0)) for text in (b'', b'x', b'4', b'4  2', b'4 2 ', b'4 2 1', b'-4 2')),
        *((text, 10, range(0)) for text in (b'0 2', b'04 2', b'4 0', b'4 02', b'4 2\n', b'4 +2')),
        *((text, 10**30, range(0)) for text in (b'1 ' + b'9' * 17, b'9' * 5000 + b' 1')),
        (b'1 9007199254740991', 2**53 - 2**32, range(0)),
        (b'5 1000000', 2**53 - 2**32, range(5, 1_000_005)),
        *((text, 2**53 - 2**32, range(0)) for text in (b'5 1000001', b'1 9000000000000000')),
    ],
)
def test_a_range_of_pks_is_read_or_empty(text, highest, pks):
    assert layout.parse_range(text, highest) == pks


@pytest.mark.parametrize('size', [1, 1_000_000, 1_000_001, 2_500_000])
def test_reserved_pks_are_listed_in_ranges_that_can_be_read(size):
    pks = range(7, 7 + size)
    parts = layout.ranges_of(pks)
    assert [pk for part, _ in parts for pk in part] == [*pks]
    assert all(layout.parse_range(text, pks[-1]) == part for part, text in parts)


def test_tools_that_cannot_import_the_core_spell_keys_alike(make_model, monkeypatch):
    asked = []
    monkeypatch.setattr(walk, 'send', lambda model, *command: asked.append(command) or 0)
    walk.Walk(make_model([IRField('a')], key_name='Shop:Songs'))
    assert [name.encode() for _, name in asked] == [KEYS.swapped, KEYS.all]
    mirror = lock.lock_name(make_model([IRField('a')], key_name='Shop:Songs'))
    assert KEYS.work_type(mirror.encode()) == b'string'
