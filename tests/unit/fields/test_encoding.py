"""The default encoding. The rule: it is for text, both ways; all that is not text is ASCII."""

from __future__ import annotations

import datetime
import hashlib

import pytest
from samples.fields import MAKERS, NULL, SAMPLES

from IndexedRedis import (
    IRField,
    getDefaultIREncoding,
    irNull,
    setDefaultIREncoding,
    to_unicode,
    tobytes,
)
from IndexedRedis._core.column import Column
from IndexedRedis.encoding import is_utf8
from unit.build import define, load

IN_ALL = [
    sample
    for sample in SAMPLES
    if sample.index is not None
    and isinstance(sample.value, (int, str))
    and '☃' not in str(sample.value)
]


@pytest.fixture(autouse=True)
def back_to_the_default():
    before = getDefaultIREncoding()
    yield
    setDefaultIREncoding(before)


def text_column(**properties):
    return Column('Song', IRField('name', **properties), indexed=True)


def test_it_is_utf8_at_start():
    assert getDefaultIREncoding().lower() == 'utf-8'


@pytest.mark.parametrize(
    ('encoding', 'stored'),
    [
        ('utf-8', b'\xc3\xa9'),
        ('latin-1', b'\xe9'),
        ('cp437', b'\x82'),
        ('utf-16', 'é'.encode('utf-16')),
        ('utf-16-le', b'\xe9\x00'),
    ],
)
def test_text_is_written_and_read_in_it(encoding, stored):
    setDefaultIREncoding(encoding)
    it = text_column()
    assert getDefaultIREncoding() == encoding
    assert it.from_input(stored) == it.decode(stored) == 'é'
    assert it.encode('é') == stored
    assert it.index_of('é') == it.index_of_stored(stored) == b'\xc3\xa9'
    assert (to_unicode(stored), tobytes('é')) == ('é', stored)


@pytest.mark.parametrize('name', ['utf-8', 'utf8', 'UTF-8', 'utf_8', 'Utf8', 'U8', 'cp65001'])
def test_it_is_utf8_however_its_name_is_spelled(name):
    setDefaultIREncoding('latin-1')
    assert not is_utf8()
    setDefaultIREncoding(name)
    assert is_utf8()
    assert getDefaultIREncoding() == name
    assert text_column().field.quick_conversion() is bytes.decode


def test_a_hashed_index_is_over_its_bytes():
    setDefaultIREncoding('latin-1')
    it = text_column(hashIndex=True)
    expected = hashlib.md5(b'\xe9').hexdigest().encode()
    assert (
        it.index_of('é') == it.index_of_stored(b'\xe9') == it.indexes_of_filter('é')[0] == expected
    )


def test_text_that_it_cannot_hold_is_refused():
    setDefaultIREncoding('latin-1')
    with pytest.raises(ValueError, match=r"Song\.name: cannot hold '☃'"):
        text_column().encode('☃')


@pytest.mark.parametrize('encoding', ['latin-1', 'utf-16', 'utf-32-be', 'cp037'])
@pytest.mark.parametrize(
    ('value_type', 'value', 'stored'),
    [
        (int, 5, b'5'),
        (float, 2.5, b'2.5'),
        (bool, True, b'True'),
        (datetime.datetime, datetime.datetime(2015, 5, 12), b'2015-05-12 00:00:00'),
        (dict, {'é': 'é'}, b'{"\\u00e9": "\\u00e9"}'),
        (bytes, b'\xff', b'\xff'),
    ],
)
def test_what_is_not_text_is_stored_the_same_in_all(encoding, value_type, value, stored):
    setDefaultIREncoding(encoding)
    it = text_column(valueType=value_type)
    assert it.encode(value) == stored
    assert it.decode(stored) == value


@pytest.mark.parametrize('encoding', ['latin-1', 'utf-16', 'cp037'])
@pytest.mark.parametrize('make', MAKERS)
def test_null_is_stored_the_same_in_all(encoding, make):
    setDefaultIREncoding(encoding)
    it = Column('Song', make(), indexed=True)
    before = it.index_of(irNull)
    assert it.encode(irNull) in (NULL, b'')
    assert it.encode(irNull) == b'' or it.decode(NULL) is irNull
    assert it.index_of_stored(NULL) == before or not it.field.CAN_INDEX


@pytest.mark.parametrize('encoding', ['latin-1', 'utf-16', 'utf-7'])
@pytest.mark.parametrize('sample', IN_ALL)
def test_insert_and_update_agree_on_the_index_key_in_all(encoding, sample):
    setDefaultIREncoding(encoding)
    it = Column('Song', sample.make(), indexed=True)
    stored = it.encode(sample.value)
    assert it.index_of_stored(stored) == it.index_of(sample.value)
    assert it.decode(stored) == sample.value


def test_names_of_fields_are_utf8_always():
    setDefaultIREncoding('utf-16')
    song = load(define('name'), name='é'.encode('utf-16'))
    assert song.name == 'é'
    assert type(song)._validated().columns['name'].key == b'name'


@pytest.mark.parametrize(
    'unusable', ['no-such-codec', '', 'hex', 'rot13', 'base64', 'zlib', None, 5, 'utf\0']
)
def test_a_codec_that_is_unknown_or_not_for_text_is_refused(unusable):
    with pytest.raises(ValueError, match=r'encoding|text|null'):
        setDefaultIREncoding(unusable)
    assert getDefaultIREncoding().lower() == 'utf-8'


def test_conversion_of_other_things():
    assert (to_unicode(5), to_unicode(None), to_unicode('é')) == ('5', 'None', 'é')
    assert to_unicode(b'\xe9', 'latin-1') == 'é'
    assert tobytes('é', 'latin-1') == b'\xe9'
    assert tobytes(b'\xff', 'ascii') == b'\xff'
    with pytest.raises(AttributeError):
        tobytes(5)
