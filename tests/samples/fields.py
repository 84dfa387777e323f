"""What every field type does with values: the table behind the contract of fields.

The rule: a new field type costs its rows here, and no other test. Bytes and index keys are those
that IndexedRedis 6.0.3 wrote (docs/reference/values.rst); they are never worked out by the code
under test. `fetched` is left out where fetching gives the attribute's value back, `index` where
it is the stored bytes.
"""

from __future__ import annotations

import datetime
import enum
import functools
import hashlib
import ipaddress
import uuid
from decimal import Decimal
from fractions import Fraction
from typing import Any, NamedTuple

from IndexedRedis import IRClassicField, IRField, IRRawField, irNull, to_unicode

NULL = b'IRNullType()'
NULL_MD5 = b'563e746fa69bd6749e2b7f83dadc17d4'


class Sample(NamedTuple):
    """One value on its way; `index` is None where the field cannot be indexed."""

    make: Any
    given: Any
    value: Any
    stored: bytes
    index: bytes | None
    fetched: Any


def _row(make: Any, given: Any, value: Any, stored: bytes, *ends: Any) -> Sample:
    """`ends` are the index key (else the stored bytes) and what is fetched (else `value`)."""
    index, fetched = (*ends, *(stored, value)[len(ends) :])
    return Sample(make, given, value, stored, index, fetched)


class Money:
    """A type of a user's: made of one argument, which is bytes when it comes from the database."""

    CAN_INDEX = True

    def __init__(self, amount: Any) -> None:
        text = to_unicode(amount)
        self.cents = int(text[:-1]) if text.endswith('c') else int(text) * 100

    def __str__(self) -> str:
        return f'{self.cents}c'

    def __repr__(self) -> str:
        return f'{type(self).__name__}({str(self)!r})'

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Money) and self.cents == other.cents

    def __hash__(self) -> int:
        return hash(self.cents)


class Secret(Money):
    """The same without an index form."""

    CAN_INDEX = False


class ReversedField(IRField):
    """A field type as written for 6.0.3: an own `__new__`, and no call of the base's `__init__`."""

    CAN_INDEX = True
    hashIndex = False

    def __new__(cls, name: str = '', defaultValue: Any = irNull, mark: str = '') -> ReversedField:
        return IRField.__new__(cls, name)

    def __init__(self, name: str = '', defaultValue: Any = irNull, mark: str = '') -> None:
        self.defaultValue = defaultValue
        self.mark = mark

    def _toStorage(self, value: Any) -> Any:
        return self.mark + value[::-1]

    def _fromStorage(self, stored: Any) -> Any:
        return to_unicode(stored)[len(self.mark) :][::-1]

    def _fromInput(self, value: Any) -> Any:
        return to_unicode(value)

    def copy(self) -> ReversedField:
        return self.__class__(self.name, self.defaultValue, self.mark)


class LooseField(ReversedField):
    """One whose index form is neither the value nor what is stored."""

    def _toIndex(self, value: Any) -> Any:
        return value.casefold()


class HashedField(ReversedField):
    """One that always hashes."""

    hashIndex = True


class WordsField(IRField):
    """One with a mutable value, stored as bytes, that cannot be indexed."""

    def __init__(self, name: str = '', defaultValue: Any = irNull) -> None:
        self.defaultValue = defaultValue

    def _toStorage(self, value: Any) -> Any:
        return b' '.join(word.encode() for word in value)

    def _fromStorage(self, stored: Any) -> Any:
        return stored.decode().split()

    def _fromInput(self, value: Any) -> Any:
        return list(value)


class Color(enum.Enum):
    """One without a text."""

    RED = 'red'


class Tone(str, enum.Enum):  # noqa: UP042
    """One of texts, whose str() names the class."""

    DARK = 'dark'


class Level(enum.IntEnum):
    """One of numbers."""

    LOW = 1


def _field(cls: Any = IRField, **properties: Any) -> Any:
    return functools.partial(cls, 'name', **properties)


def md5(text: bytes) -> bytes:
    return hashlib.md5(text).hexdigest().encode()


TEXT, HASHED_TEXT, CLASSIC = _field(), _field(hashIndex=True), _field(IRClassicField)
INT, FLOAT, BOOL = _field(valueType=int), _field(valueType=float), _field(valueType=bool)
HASHED_INT = _field(valueType=int, hashIndex=True)
HASHED_BOOL = _field(valueType=bool, hashIndex=True)
DATETIME = _field(valueType=datetime.datetime)
DICT, LIST, TUPLE = _field(valueType=dict), _field(valueType=list), _field(valueType=tuple)
BYTES, PLAIN, RAW = _field(valueType=bytes), _field(valueType=None), _field(IRRawField)
MONEY, HASHED_MONEY = _field(valueType=Money), _field(valueType=Money, hashIndex=True)
SECRET = _field(valueType=Secret)
REVERSED, LOOSE, WORDS = _field(ReversedField), _field(LooseField, mark='~'), _field(WordsField)
HASHED_OWN = _field(HashedField)

_noon = datetime.datetime(2015, 5, 12, 12, 0, 1)
_midnight = datetime.datetime(2015, 5, 12)
_uuid = uuid.UUID('12345678123456781234567812345678')
_empty_md5 = b'd41d8cd98f00b204e9800998ecf8427e'
_nested = [1, 'a', None, True, 2.5, {'z': [1]}]

SAMPLES = [
    _row(TEXT, 'abc', 'abc', b'abc'),
    _row(TEXT, '', '', b''),
    _row(TEXT, 'é☃', 'é☃', b'\xc3\xa9\xe2\x98\x83'),
    _row(TEXT, b'\xc3\xa9', 'é', b'\xc3\xa9'),
    _row(TEXT, 'a:b', 'a:b', b'a:b'),
    _row(TEXT, 'a\r\n\x00*?[', 'a\r\n\x00*?[', b'a\r\n\x00*?['),
    _row(TEXT, 'None', 'None', b'None'),
    _row(TEXT, 'irNull', 'irNull', b'irNull'),
    _row(TEXT, 5, '5', b'5'),
    _row(TEXT, 3.5, '3.5', b'3.5'),
    _row(TEXT, True, 'True', b'True'),
    _row(TEXT, float('inf'), 'inf', b'inf'),
    _row(TEXT, Decimal('0E-10'), '0.0000000000', b'0.0000000000'),
    _row(TEXT, Decimal('1E-7'), '0.0000001', b'0.0000001'),
    _row(TEXT, Decimal('1E+3'), '1000', b'1000'),
    _row(TEXT, _uuid, str(_uuid), b'12345678-1234-5678-1234-567812345678'),
    _row(TEXT, datetime.date(2024, 2, 29), '2024-02-29', b'2024-02-29'),
    _row(TEXT, datetime.time(1, 2, 3, 5), '01:02:03.000005', b'01:02:03.000005'),
    _row(TEXT, _noon, '2015-05-12 12:00:01', b'2015-05-12 12:00:01'),
    _row(
        TEXT,
        _noon.replace(tzinfo=datetime.UTC),
        '2015-05-12 12:00:01+00:00',
        b'2015-05-12 12:00:01+00:00',
    ),
    _row(TEXT, ipaddress.ip_address('::1'), '::1', b'::1'),
    _row(TEXT, Tone.DARK, 'dark', b'dark'),
    _row(TEXT, Level.LOW, '1', b'1'),
    _row(HASHED_TEXT, 'abc', 'abc', b'abc', b'900150983cd24fb0d6963f7d28e17f72'),
    _row(HASHED_TEXT, 'é', 'é', b'\xc3\xa9', b'66ddcd97cfdeabb2f6fb8a999b4bc76f'),
    _row(HASHED_TEXT, '', '', b'', _empty_md5),
    _row(CLASSIC, 'abc', 'abc', b'abc'),
    _row(CLASSIC, '', '', b''),
    _row(INT, 5, 5, b'5'),
    _row(INT, -3, -3, b'-3'),
    _row(INT, 0, 0, b'0'),
    _row(INT, '7', 7, b'7'),
    _row(INT, b'8', 8, b'8'),
    _row(INT, 5.0, 5, b'5'),
    _row(INT, Decimal('5.00'), 5, b'5'),
    _row(INT, Level.LOW, 1, b'1'),
    _row(INT, True, 1, b'1'),
    _row(INT, ' 12 ', 12, b'12'),
    _row(INT, 10**30, 10**30, b'1000000000000000000000000000000'),
    _row(HASHED_INT, 5, 5, b'5', md5(b'5')),
    _row(BOOL, True, True, b'True'),
    _row(BOOL, False, False, b'False'),
    _row(BOOL, 1, True, b'True'),
    _row(BOOL, 0, False, b'False'),
    _row(BOOL, 'true', True, b'True'),
    _row(BOOL, '1', True, b'True'),
    _row(BOOL, 'FALSE', False, b'False'),
    _row(BOOL, b'0', False, b'False'),
    _row(BOOL, '', irNull, NULL),
    _row(HASHED_BOOL, True, True, b'True', md5(b'True')),
    _row(FLOAT, 3.14, 3.14, b'3.14', None),
    _row(FLOAT, 1, 1.0, b'1.0', None),
    _row(FLOAT, '2.5', 2.5, b'2.5', None),
    _row(FLOAT, 1e100, 1e100, b'1e+100', None),
    _row(FLOAT, Decimal('0.1'), 0.1, b'0.1', None),
    _row(FLOAT, 2**53, 2.0**53, b'9007199254740992.0', None),
    _row(FLOAT, '0.12345678901234567890', 0.12345678901234568, b'0.12345678901234568', None),
    _row(FLOAT, -0.0, -0.0, b'-0.0', None),
    _row(FLOAT, 'inf', float('inf'), b'inf', None),
    _row(DATETIME, _noon.replace(microsecond=203511), _noon, b'2015-05-12 12:00:01'),
    _row(DATETIME, '2015-05-12 12:00:01', _noon, b'2015-05-12 12:00:01'),
    _row(DATETIME, '2015-05-12 12:00:01.5', _noon, b'2015-05-12 12:00:01'),
    _row(DATETIME, b'2015-05-12 12:00:01', _noon, b'2015-05-12 12:00:01'),
    _row(DATETIME, '2015-05-12T12:00:01,25', _noon, b'2015-05-12 12:00:01'),
    _row(DATETIME, '20150512T120001', _noon, b'2015-05-12 12:00:01'),
    _row(DATETIME, '2015-W20-2T12:00:01', _noon, b'2015-05-12 12:00:01'),
    _row(DATETIME, '2015-05-12 12:00', _noon.replace(second=0), b'2015-05-12 12:00:00'),
    _row(DATETIME, '2015-05-12', _midnight, b'2015-05-12 00:00:00'),
    _row(DATETIME, _noon.date(), _midnight, b'2015-05-12 00:00:00'),
    _row(
        DATETIME,
        datetime.datetime(3, 1, 2),
        datetime.datetime(3, 1, 2),
        b'0003-01-02 00:00:00',
    ),
    _row(DICT, {'b': 1, 'a': 2}, {'b': 1, 'a': 2}, b'{"b": 1, "a": 2}', None),
    _row(DICT, '{"b": 1}', {'b': 1}, b'{"b": 1}', None),
    _row(DICT, {}, {}, b'{}', None),
    _row(LIST, _nested, _nested, b'[1, "a", null, true, 2.5, {"z": [1]}]', None),
    _row(LIST, ['é☃'], ['é☃'], b'["\\u00e9\\u2603"]', None),
    _row(LIST, [], [], b'[]', None),
    _row(TUPLE, (1, 2), [1, 2], b'[1, 2]', None),
    _row(DICT, 14, 14, b'14', None),
    _row(DICT, 2.5, 2.5, b'2.5', None),
    _row(DICT, True, True, b'true', None),
    _row(DICT, '"text"', 'text', b'"text"', None),
    _row(DICT, '', irNull, NULL, None),
    _row(DICT, 'null', irNull, NULL, None),
    _row(BYTES, b'\x00\xff', b'\x00\xff', b'\x00\xff', None),
    _row(BYTES, 'é', b'\xc3\xa9', b'\xc3\xa9', None),
    _row(BYTES, bytearray(b'ab'), b'ab', b'ab', None),
    _row(BYTES, b'', b'', b'', None),
    *(
        _row(make, given, given, stored, None, stored)
        for make in (PLAIN, RAW)
        for given, stored in (
            ('é', b'\xc3\xa9'),
            (b'\xff', b'\xff'),
            (5, b'5'),
            (2.5, b'2.5'),
            ('', b''),
        )
    ),
    _row(RAW, irNull, irNull, b'', None, b''),
    _row(RAW, NULL, NULL, NULL, None),
    _row(MONEY, '3', Money(3), b'300c'),
    _row(MONEY, Money(3), Money(3), b'300c'),
    _row(HASHED_MONEY, 3, Money(3), b'300c', md5(b'300c')),
    _row(SECRET, '3', Secret(3), b'300c', None),
    _row(REVERSED, 'abc', 'abc', b'cba'),
    _row(REVERSED, 'aé', 'aé', b'\xc3\xa9a'),
    _row(LOOSE, 'ABC', 'ABC', b'~CBA', b'abc'),
    _row(HASHED_OWN, 'abc', 'abc', b'cba', md5(b'cba')),
    _row(WORDS, ('a', 'é'), ['a', 'é'], b'a \xc3\xa9', None),
]

# Every type but these has a null.
WITHOUT_NULL = (RAW,)
MAKERS = list(dict.fromkeys(sample.make for sample in SAMPLES))

# Stored by other versions or by hand, read nevertheless: (field, bytes, value).
READ_ONLY = [
    (TEXT, b'IRNullType()', irNull),
    (BOOL, b'true', True),
    (BOOL, b'1', True),
    (BOOL, b'FALSE', False),
    (BOOL, b'0', False),
    (BOOL, b'', irNull),
    (INT, b' 12 ', 12),
    (FLOAT, b'nan', float('nan')),
    (FLOAT, b'3', 3.0),
    (DATETIME, b'2015-05-12 12:00:01.123456', _noon),
    (DATETIME, str(int(_noon.timestamp())).encode(), _noon),
    (DICT, b'14.0', 14.0),
    (DICT, b'{"a":1}', {'a': 1}),
    (DICT, b'"\xc3\xa9"', 'é'),
    (DICT, b'null', irNull),
    (DICT, b'', irNull),
]

# Refused, with the type of the error and a fragment of its text: (field, given, type, fragment).
REFUSED = [
    (TEXT, 'IRNullType()', ValueError, 'means null'),
    (TEXT, b'IRNullType()', ValueError, 'means null'),
    (TEXT, b'\xff', ValueError, 'decode'),
    (TEXT, {'a': 1}, TypeError, 'valueType=dict'),
    (TEXT, [1, 2], TypeError, 'valueType=list'),
    (TEXT, (1,), TypeError, 'valueType=list'),
    (TEXT, {1}, TypeError, 'sorted'),
    (TEXT, frozenset(), TypeError, 'sorted'),
    (TEXT, bytearray(b'a'), TypeError, 'IRBytesField'),
    (TEXT, memoryview(b'a'), TypeError, 'IRBytesField'),
    (TEXT, Color.RED, TypeError, 'IREnumField'),
    (TEXT, datetime.timedelta(1), TypeError, 'valueType=datetime.timedelta'),
    (TEXT, float('nan'), ValueError, 'valueType=float'),
    (TEXT, Decimal('NaN'), ValueError, 'digits'),
    (TEXT, Decimal('sNaN'), ValueError, 'digits'),
    (TEXT, Decimal('Infinity'), ValueError, 'digits'),
    (TEXT, Decimal('1E+999999'), ValueError, '200,000 digits'),
    (TEXT, Fraction(1, 3), TypeError, 'Decimal'),
    (TEXT, len, TypeError, 'call'),
    (TEXT, _field, TypeError, 'call'),
    (TEXT, int, TypeError, 'class'),
    (TEXT, object(), TypeError, 'str(value)'),
    (CLASSIC, 'IRNullType()', ValueError, 'means null'),
    (INT, 'x', ValueError, "'x'"),
    (INT, '', ValueError, "''"),
    (INT, [1], TypeError, 'list'),
    (INT, 5.9, ValueError, 'no whole number'),
    (INT, '5.9', ValueError, "'5.9'"),
    (INT, Decimal('5.5'), ValueError, 'no whole number'),
    (INT, Decimal('1E+999999999'), ValueError, '200,000 digits'),
    (INT, Fraction(11, 2), ValueError, 'no whole number'),
    (INT, _uuid, ValueError, 'no whole number'),
    (INT, float('inf'), ValueError, 'infinity'),
    (FLOAT, 'x', ValueError, "'x'"),
    (FLOAT, {}, TypeError, 'dict'),
    (FLOAT, Decimal('0.12345678901234567890'), ValueError, 'IRDecimalField'),
    (FLOAT, Fraction(1, 3), ValueError, 'exactly'),
    (FLOAT, 2**53 + 1, ValueError, 'valueType=int'),
    (FLOAT, 10**400, ValueError, 'large'),
    (BOOL, 'yes', ValueError, 'true, false, 1 or 0'),
    (BOOL, 2, ValueError, 'true, false, 1 or 0'),
    (DATETIME, '2015-05-12 12:00:01+02:00', ValueError, 'IRDatetimeField'),
    (DATETIME, '2015-05-12 12:00:01.25Z', ValueError, 'IRDatetimeField'),
    (DATETIME, '2015-05-12 12:00:01.noon', ValueError, 'ISO 8601'),
    (DATETIME, '2015-05-12 12:00:01.5Z+2', ValueError, 'ISO 8601'),
    (DATETIME, '', ValueError, 'YYYY-MM-DD HH:MM:SS'),
    (DATETIME, '2015-13-12 12:00:01', ValueError, 'month'),
    (DATETIME, _noon.replace(tzinfo=datetime.UTC), ValueError, 'aware'),
    (DATETIME, Decimal(5), TypeError, 'Decimal'),
    (DICT, 'no json', ValueError, 'no json'),
    (DICT, {1, 2}, TypeError, 'set'),
    (BYTES, 5, TypeError, 'int'),
    (BYTES, b'IRNullType()', ValueError, 'null'),
    (PLAIN, 'IRNullType()', ValueError, 'null'),
    (PLAIN, True, TypeError, 'bool'),
    (PLAIN, [], TypeError, 'list'),
    (RAW, True, TypeError, 'bool'),
    (RAW, None, TypeError, 'NoneType'),
    (MONEY, 'x', ValueError, "'x'"),
]
