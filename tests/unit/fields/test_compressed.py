"""Compressed fields. The rule: stored bytes are never trusted: neither their size nor their end."""

from __future__ import annotations

import bz2
import lzma
import tracemalloc
import zlib

import pytest

from IndexedRedis import IRField, UnreadableValueError, ValueTooLargeError
from IndexedRedis.fields import IRCompressedField, IRFieldChain
from unit.build import define, load

MIB = 2**20
COMPRESS = {'zlib': lambda v: zlib.compress(v, 9), 'bz2': bz2.compress, 'lzma': lzma.compress}
every_mode = pytest.mark.parametrize('mode', COMPRESS)


def fetched(stored, **properties):
    model = define('title', IRCompressedField('data', **properties), name='Song')
    return load(model, 7, title=b'x', data=stored)


@pytest.fixture(scope='module')
def bomb():
    """Half a MiB that inflates to 512 MiB."""
    packer = zlib.compressobj(9)
    head, part = (packer.compress(bytes(MIB)) + packer.flush(zlib.Z_FULL_FLUSH) for _ in range(2))
    return head + 511 * part


def test_a_bomb_is_refused_without_being_inflated(bomb):
    assert 500_000 < len(bomb) < 600_000
    obj = fetched(bomb, maxSize=MIB)
    tracemalloc.start()
    try:
        with pytest.raises(ValueTooLargeError) as caught:
            obj.data
        assert tracemalloc.get_traced_memory()[1] < 8 * MIB
    finally:
        tracemalloc.stop()
    text = str(caught.value)
    assert text.startswith('Song.data of the object with pk 7: ')
    assert f'more than {MIB} bytes' in text
    assert 'raise the maxSize' in text
    assert obj.title == 'x'


def test_64_MiB_are_the_most_unless_told_otherwise(bomb):
    with pytest.raises(ValueTooLargeError, match='more than 67108864 bytes'):
        fetched(bomb).data
    assert issubclass(ValueTooLargeError, ValueError)


def test_the_bound_holds_within_a_chain(bomb):
    field = IRFieldChain('data', [IRField(), IRCompressedField(maxSize=MIB)])
    with pytest.raises(ValueTooLargeError, match=r'Song\.data .* pk 7'):
        load(define(field), 7, data=bomb).data


@every_mode
def test_the_bound_is_the_last_size_that_is_read(mode):
    stored = COMPRESS[mode](b'a' * 1000)
    assert fetched(stored, compressMode=mode, maxSize=1000).data == b'a' * 1000
    with pytest.raises(ValueTooLargeError):
        fetched(stored, compressMode=mode, maxSize=999).data


@every_mode
def test_data_that_ends_too_early_is_no_value(mode):
    plain = bytes(range(256)) * 50
    stored = COMPRESS[mode](plain)
    assert fetched(stored, compressMode=mode).data == plain
    for end in (len(stored) - 1, len(stored) // 2, 6):
        obj = fetched(stored[:end], compressMode=mode)
        with pytest.raises(UnreadableValueError, match=r'Song\.data .* pk 7: the stored bytes'):
            obj.data
        assert '<unreadable>' in repr(obj)


@every_mode
def test_damaged_data_is_no_value(mode):
    stored = bytearray(COMPRESS[mode](bytes(range(256)) * 50))
    stored[len(stored) // 2] ^= 255
    with pytest.raises(UnreadableValueError):
        fetched(bytes(stored), compressMode=mode).data


def test_an_unreadable_value_can_be_replaced():
    obj = fetched(b'x\xdabroken')
    obj.data = b'new'
    assert obj.data == b'new'
    assert list(obj.getUpdatedFields()) == ['data']


@pytest.mark.parametrize(
    ('given', 'mode', 'module'),
    [
        *((name, 'zlib', zlib) for name in ('zlib', 'gzip', 'gz')),
        *((name, 'bz2', bz2) for name in ('bz2', 'bzip2')),
        *((name, 'lzma', lzma) for name in ('lzma', 'xz')),
    ],
)
def test_modes_have_several_names(given, mode, module):
    field = IRCompressedField('data', given)
    assert field.compressMode == mode
    assert field.getCompressMod() is module
    assert field.copy().getCompressMod() is module


def test_an_unknown_mode_is_refused():
    with pytest.raises(ValueError, match=r"compressMode='rar' is unknown; use one of zlib, bz2"):
        IRCompressedField('data', compressMode='rar')


def test_text_stays_text_until_fetched():
    obj = define(IRCompressedField('data'))(data='é')
    assert obj.data == 'é'
    assert obj.asDict(forStorage=True)['data'] == zlib.compress('é'.encode(), 9)
