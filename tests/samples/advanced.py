"""The rows of the field types that encode, compress, pickle, round, or are made of others.

The rule is that of `fields.py`, and so are the tables; the contract of fields runs over both.
"""

from __future__ import annotations

import datetime
import functools
from decimal import Decimal
from typing import Any

from IndexedRedis import IRField, irNull
from IndexedRedis.fields import (
    IRBase64Field,
    IRBytesField,
    IRCompressedField,
    IRFieldChain,
    IRFixedPointField,
    IRPickleField,
    IRUnicodeField,
)
from samples.fields import NULL, _row

EMPTY_MD5 = b'd41d8cd98f00b204e9800998ecf8427e'
E_ACUTE_MD5 = b'66ddcd97cfdeabb2f6fb8a999b4bc76f'


def _field(cls: Any, **properties: Any) -> Any:
    return functools.partial(cls, 'name', **properties)


def _chain(*fields: Any, **properties: Any) -> Any:
    return _field(IRFieldChain, chainedFields=list(fields), **properties)


BYTES, LATIN_BYTES = _field(IRBytesField), _field(IRBytesField, encoding='latin-1')
BASE64, LATIN_BASE64 = _field(IRBase64Field), _field(IRBase64Field, encoding='latin-1')
UNICODE = _field(IRUnicodeField)
UTF8, UTF16 = _field(IRUnicodeField, encoding='utf-8'), _field(IRUnicodeField, encoding='utf-16')
LATIN = _field(IRUnicodeField, encoding='latin-1')
ZLIB, BZ2 = _field(IRCompressedField), _field(IRCompressedField, compressMode='bz2')
LZMA = _field(IRCompressedField, compressMode='lzma')
PICKLE = _field(IRPickleField)
FIXED, FIXED2 = _field(IRFixedPointField), _field(IRFixedPointField, decimalPlaces=2)
FIXED0 = _field(IRFixedPointField, decimalPlaces=0)
UTF16_ZLIB = _chain(IRUnicodeField(encoding='utf-16'), IRCompressedField())
TEXT_BASE64 = _chain(IRField(), IRBase64Field)
INT_BASE64 = _chain(IRField(valueType=int), IRBase64Field())
BOOL_BASE64 = _chain(IRField(valueType=bool), IRBase64Field())
DATETIME_BASE64 = _chain(IRField(valueType=datetime.datetime), IRBase64Field())
JSON_ZLIB_BASE64 = _chain(IRField(valueType=dict), IRCompressedField(), IRBase64Field())
ZLIB_BASE64 = _chain(IRCompressedField, IRBase64Field)
PICKLE_ZLIB = _chain(IRPickleField, IRCompressedField)
FIXED_ZLIB = _chain(IRFixedPointField(decimalPlaces=2), IRCompressedField())
TWICE, TWICE_HASHED = _chain(IRField(), IRField()), _chain(IRField(), IRField(), hashIndex=True)

HELLO_ZLIB = b'x\xda\xcbH\xcd\xc9\xc9\x07\x00\x06,\x02\x15'
HELLO_FAST = b'x\x9c\xcbH\xcd\xc9\xc9\x07\x00\x06,\x02\x15'
HELLO_BZ2 = bytes.fromhex(
    '425a68393141592653591931653d00000081000244a000219a68334d07338bb9229c28480c98b29e80'
)
HELLO_XZ = bytes.fromhex(
    'fd377a585a000004e6d6b4460200210116000000742fe5a3010004'
    '68656c6c6f00000000b137b9dbe5da1e9b00011d05b82d80af1fb6f37d010000000004595a'
)
XZ_OF_MAGIC = bytes.fromhex(
    'fd377a585a000004e6d6b4460200210116000000742fe5a3010004'
    'fd377a585a000000000acd1a9bb6308cea00011d05b82d80af1fb6f37d010000000004595a'
)
BZ2_OF_MAGIC = bytes.fromhex(
    '425a6839314159265359ad22e2530000008f000020100000103840200031'
    '0c01064da037028bb9229c28485691712980'
)
_noon = datetime.datetime(2015, 5, 12, 12, 0, 1)

SAMPLES = [
    _row(BYTES, b'\x00\xff', b'\x00\xff', b'\x00\xff', b'd07d34efac6328007ad67c7e0a985e00'),
    _row(BYTES, 'é', b'\xc3\xa9', b'\xc3\xa9', E_ACUTE_MD5),
    _row(BYTES, bytearray(b'abc'), b'abc', b'abc', b'900150983cd24fb0d6963f7d28e17f72'),
    _row(BYTES, '', b'', b'', EMPTY_MD5),
    _row(LATIN_BYTES, 'é', b'\xe9', b'\xe9', b'3406877694691ddd1dfb0aca54681407'),
    _row(BASE64, b'\x00\xff', b'\x00\xff', b'AP8=', b'5e3a70c7404d5c706ac2e9d0ccbe4528'),
    _row(BASE64, 'é', b'\xc3\xa9', b'w6k=', b'3370cad1f61676442daafbdd70493551'),
    _row(BASE64, '', b'', b'', EMPTY_MD5),
    _row(BASE64, b'', b'', b'', EMPTY_MD5),
    _row(LATIN_BASE64, 'é', b'\xe9', b'6Q==', b'a6c9e944366294b4fe27452bb46ef8c7'),
    *(_row(make, 'é', 'é', b'\xc3\xa9', E_ACUTE_MD5) for make in (UNICODE, UTF8)),
    _row(UTF8, b'\xc3\xa9', 'é', b'\xc3\xa9', E_ACUTE_MD5),
    _row(UTF8, '', '', b'', EMPTY_MD5),
    _row(UTF8, 5, '5', b'5', b'e4da3b7fbbce2345d7772b0674a318d5'),
    _row(UTF16, 'é', 'é', b'\xff\xfe\xe9\x00', b'dfd828203b058fb434e37d9c8c0a6d0a'),
    _row(UTF16, b'\xff\xfe\xe9\x00', 'é', b'\xff\xfe\xe9\x00', b'dfd828203b058fb434e37d9c8c0a6d0a'),
    _row(UTF16, '', '', b'\xff\xfe', b'f3b25701fe362ec84616a93a45ce9998'),
    _row(LATIN, 'é', 'é', b'\xe9', b'3406877694691ddd1dfb0aca54681407'),
    *(
        _row(make, given, given, stored, index, b'hello')
        for make, stored, index in (
            (ZLIB, HELLO_ZLIB, b'1da80a6a28c593ebe0e6e8b7a7eca236'),
            (BZ2, HELLO_BZ2, b'22e1e3f9062628dcc1d8a7d56798a6a1'),
            (LZMA, HELLO_XZ, b'62bcbcf078cdc591b9f67cb58c78db38'),
        )
        for given in (b'hello', 'hello')
    ),
    *(
        _row(make, given, given, b'', EMPTY_MD5, b'')
        for make in (ZLIB, BZ2, LZMA)
        for given in ('', b'')
    ),
    # What begins like compressed data is compressed like anything else.
    _row(
        *(ZLIB, b'x\xdaabc', b'x\xdaabc', b'x\xda\xab\xb8\x95\x98\x94\x0c\x00\x08\x0f\x02y'),
        b'938bddbdb8e46dd93fe7e79c5066754b',
    ),
    _row(BZ2, b'BZh9abc', b'BZh9abc', BZ2_OF_MAGIC, b'a767a633bbed9ae6923555bda411cbdb'),
    _row(LZMA, b'\xfd7zXZ', b'\xfd7zXZ', XZ_OF_MAGIC, b'a6a0c345d3d9a3c6875ebb33509cff2c'),
    _row(PICKLE, 'hi', 'hi', b'\x80\x02X\x02\x00\x00\x00hiq\x00.', None),
    _row(PICKLE, [1, 2], [1, 2], b'\x80\x02]q\x00(K\x01K\x02e.', None),
    _row(PICKLE, '', '', b'', None),
    _row(PICKLE, b'', b'', b'', None, ''),
    _row(PICKLE, None, None, b'\x80\x02N.', None),
    _row(PICKLE, 0, 0, b'\x80\x02K\x00.', None),
    *(
        _row(FIXED, given, value, stored)
        for given, value, stored in (
            (1, 1.0, b'1.00000'),
            (2.5, 2.5, b'2.50000'),
            ('3.1415926535', 3.14159, b'3.14159'),
            (b'2', 2.0, b'2.00000'),
            (1e20, 1e20, b'100000000000000000000.00000'),
        )
    ),
    *(
        _row(FIXED2, given, value, stored)
        for given, value, stored in (
            (2.675, 2.67, b'2.67'),
            (1.005, 1.0, b'1.00'),
            (Decimal('2.675'), 2.68, b'2.68'),
            (Decimal('2.665'), 2.66, b'2.66'),
            (Decimal('-0.001'), 0.0, b'0.00'),
            (Decimal('1E+3'), 1000.0, b'1000.00'),
            (0, 0.0, b'0.00'),
            (-0.001, 0.0, b'0.00'),
            (-0.0, 0.0, b'0.00'),
            ('-0.00', 0.0, b'0.00'),
            (-0.005, -0.01, b'-0.01'),
        )
    ),
    _row(FIXED0, 2.5, 2.0, b'2'),
    _row(FIXED0, 3.5, 4.0, b'4'),
    _row(FIXED0, -0.4, 0.0, b'0'),
    _row(
        *(UTF16_ZLIB, 'é', 'é', b'x\xda\xfb\xff\xef%\x03\x00\x08\xcc\x02\xe7'),
        b'6f960acb092101be664385d026621d3b',
    ),
    _row(
        *(UTF16_ZLIB, '', '', b'x\xda\xfb\xff\x0f\x00\x02\xfe\x01\xfe'),
        b'231e0970646c6e76cdcd6d16ee1544aa',
    ),
    _row(
        *(TEXT_BASE64, 'Hello World', 'Hello World', b'SGVsbG8gV29ybGQ='),
        b'e87940b6df45d47268e367509f466873',
    ),
    _row(TEXT_BASE64, b'\xc3\xa9', 'é', b'w6k=', b'3370cad1f61676442daafbdd70493551'),
    _row(TEXT_BASE64, '', '', b'', EMPTY_MD5),
    *(
        _row(INT_BASE64, given, 14, b'MTQ=', b'de66190c2119decc6f388a713a66864b')
        for given in ('14', 14, b'14')
    ),
    _row(BOOL_BASE64, True, True, b'VHJ1ZQ==', b'd4f64dc33a8d9bb2e83c0bec45dc7c08'),
    _row(
        *(DATETIME_BASE64, _noon, _noon, b'MjAxNS0wNS0xMiAxMjowMDowMQ=='),
        b'dddd121d9ae2ee796ed8f922895f2541',
    ),
    *(
        _row(JSON_ZLIB_BASE64, given, {'a': 1}, b'eNqrVkpUslIwrAUACeUCKQ==', None)
        for given in ('{"a": 1}', {'a': 1})
    ),
    *(
        _row(
            *(ZLIB_BASE64, given, given, b'eNrLSM3JyQcABiwCFQ=='),
            *(b'a34c2f2e89289ac5edc66b137dbd28cd', b'hello'),
        )
        for given in ('hello', b'hello')
    ),
    _row(
        *(PICKLE_ZLIB, [1, 2], [1, 2]),
        *(b'x\xdak`\x8a-d\xd0\xf0f\xf4fJ\xd5\x03\x00\x12\xc6\x02\xa5', None),
    ),
    _row(
        *(FIXED_ZLIB, '2.674', 2.67, b'x\xda3\xd233\x07\x00\x01\xf9\x00\xce'),
        b'1db09ce42c535260fbdfd05dfa24ee4c',
    ),
    _row(TWICE, 'abc', 'abc', b'abc'),
    _row(TWICE_HASHED, 'abc', 'abc', b'abc', b'900150983cd24fb0d6963f7d28e17f72'),
]

# `None` is a value of these.
NONE_IS_A_VALUE = (PICKLE,)
MAKERS = list(dict.fromkeys(sample.make for sample in SAMPLES))

READ_ONLY = [
    *((make, NULL, irNull) for make in MAKERS),
    (BASE64, b'w6k=\n', b'\xc3\xa9'),
    (ZLIB, b'plain', b'plain'),
    # zlib of another level has another magic, and is read as it is.
    (ZLIB, HELLO_FAST, HELLO_FAST),
    (BZ2, HELLO_ZLIB, HELLO_ZLIB),
    (LZMA, HELLO_BZ2, HELLO_BZ2),
    (PICKLE, b'\x80\x04\x95\x06\x00\x00\x00\x00\x00\x00\x00\x8c\x02hi\x94.', 'hi'),
    (PICKLE, b'(lp0\nI1\naI2\na.', [1, 2]),
    (FIXED2, b'2.678', 2.68),
    (FIXED2, b'3', 3.0),
    (FIXED2, b'-0.00', 0.0),
    (UTF16_ZLIB, b'\xff\xfe\xe9\x00', 'é'),
]

REFUSED = [
    (BYTES, 5, TypeError, 'int'),
    (BYTES, ['a'], TypeError, 'list'),
    (BYTES, b'IRNullType()', ValueError, 'means null'),
    (BASE64, 5, TypeError, 'int'),
    (BASE64, 'IRNullType()', ValueError, 'means null'),
    (LATIN_BYTES, '☃', ValueError, 'latin-1'),
    (UTF8, b'\xff', ValueError, 'decode'),
    (UTF8, 'IRNullType()', ValueError, 'means null'),
    (UTF16, 'IRNullType()', ValueError, 'means null'),
    (ZLIB, 5, TypeError, 'int'),
    (ZLIB, b'IRNullType()', ValueError, 'means null'),
    (FIXED2, 'x', ValueError, "'x'"),
    (FIXED2, [], TypeError, 'list'),
    (FIXED2, Decimal('12345678901234567.89'), ValueError, 'IRDecimalField'),
    (FIXED2, Decimal('NaN'), ValueError, 'digits'),
    (FIXED2, 2**53 + 1, ValueError, 'exactly'),
    (UTF8, [1], TypeError, 'valueType=list'),
    (UTF8, float('nan'), ValueError, 'valueType=float'),
    (TEXT_BASE64, {}, TypeError, 'valueType=dict'),
    (INT_BASE64, 'x', ValueError, "'x'"),
    (JSON_ZLIB_BASE64, 'no json', ValueError, 'no json'),
    (TEXT_BASE64, 'IRNullType()', ValueError, 'means null'),
]
