"""The rows of the value types and field classes that 6.0.3 does not have.

The rule is that of `fields.py`, and so are the tables; the contract of fields runs over all.
"""

from __future__ import annotations

import datetime
import ipaddress
import uuid
from decimal import Decimal
from typing import Any

from IndexedRedis import IRField
from IndexedRedis.fields import (
    IRBase64Field,
    IRDatetimeField,
    IRDecimalField,
    IREnumField,
    IRFieldChain,
)
from samples.fields import Color, Level, Tone, _field, _row, md5

DECIMAL, HASHED_DECIMAL = _field(valueType=Decimal), _field(valueType=Decimal, hashIndex=True)
PLACES, CENTS = _field(IRDecimalField), _field(IRDecimalField, decimalPlaces=2)
THIRDS = _field(valueType=Decimal, decimalPlaces=3)
DATE, TIME = _field(valueType=datetime.date), _field(valueType=datetime.time)
SPAN, UUID = _field(valueType=datetime.timedelta), _field(valueType=uuid.UUID)
IPV4, IPV6 = _field(valueType=ipaddress.IPv4Address), _field(valueType=ipaddress.IPv6Address)
NETWORK = _field(valueType=ipaddress.IPv4Network)
INTERFACE = _field(valueType=ipaddress.IPv6Interface)
MOMENT = _field(IRDatetimeField)
FINE = _field(IRDatetimeField, microseconds=True)
AWARE = _field(IRDatetimeField, aware=True)
FINE_AWARE = _field(IRDatetimeField, aware=True, microseconds=True)
BY_VALUE, BY_NAME = (
    _field(IREnumField, enumClass=Color),
    _field(IREnumField, enumClass=Color, by='name'),
)
TONE, LEVEL = _field(IREnumField, enumClass=Tone), _field(IREnumField, enumClass=Level)
HASHED_LEVEL = _field(IREnumField, enumClass=Level, hashIndex=True)
DECIMAL_BASE64 = _field(IRFieldChain, chainedFields=[IRField(valueType=Decimal), IRBase64Field()])

_noon = datetime.datetime(2015, 5, 12, 12, 0, 1)
_utc = _noon.replace(tzinfo=datetime.UTC)
_tokyo = datetime.timezone(datetime.timedelta(hours=9))
_day, _hour = datetime.date(2024, 2, 29), datetime.timedelta(hours=1)
_micro = datetime.timedelta(microseconds=1)
_uuid = uuid.UUID('12345678123456781234567812345678')
_uuid_text = b'12345678-1234-5678-1234-567812345678'

SAMPLES = [
    _row(DECIMAL, Decimal('19.90'), Decimal('19.9'), b'19.9'),
    _row(DECIMAL, Decimal('1E+3'), Decimal(1000), b'1000'),
    _row(DECIMAL, Decimal('1E-7'), Decimal('1E-7'), b'0.0000001'),
    _row(DECIMAL, Decimal('-0.00'), Decimal(0), b'0'),
    _row(DECIMAL, '2.50', Decimal('2.5'), b'2.5'),
    _row(DECIMAL, b' 3 ', Decimal(3), b'3'),
    _row(DECIMAL, 10**30, Decimal(10**30), b'1' + b'0' * 30),
    _row(DECIMAL, 1.5, Decimal('1.5'), b'1.5'),
    _row(HASHED_DECIMAL, Decimal('1.50'), Decimal('1.5'), b'1.5', md5(b'1.5')),
    _row(PLACES, Decimal('1.50'), Decimal('1.5'), b'1.5'),
    _row(CENTS, Decimal('1.5'), Decimal('1.50'), b'1.50'),
    _row(CENTS, Decimal('1.500'), Decimal('1.50'), b'1.50'),
    _row(THIRDS, 1, Decimal('1.000'), b'1.000'),
    _row(CENTS, '-0', Decimal('0.00'), b'0.00'),
    _row(CENTS, Decimal('1E+30'), Decimal('1E+30'), b'1' + b'0' * 30 + b'.00'),
    _row(DECIMAL_BASE64, Decimal('1.50'), Decimal('1.5'), b'MS41', md5(b'MS41')),
    _row(DATE, _day, _day, b'2024-02-29'),
    _row(DATE, datetime.datetime(2024, 2, 29), _day, b'2024-02-29'),
    _row(DATE, '2024-02-29', _day, b'2024-02-29'),
    _row(DATE, b'20240229T00', _day, b'2024-02-29'),
    _row(TIME, datetime.time(1, 2, 3), datetime.time(1, 2, 3), b'01:02:03'),
    _row(TIME, datetime.time(1, 2, 3, 4), datetime.time(1, 2, 3, 4), b'01:02:03.000004'),
    _row(TIME, '01:02', datetime.time(1, 2), b'01:02:00'),
    _row(TIME, 'T01:02:03,5', datetime.time(1, 2, 3, 500000), b'01:02:03.500000'),
    _row(SPAN, -_hour, -_hour, b'-3600'),
    _row(SPAN, -_micro, -_micro, b'-0.000001'),
    _row(SPAN, datetime.timedelta(0), datetime.timedelta(0), b'0'),
    _row(SPAN, datetime.timedelta.max, datetime.timedelta.max, b'86399999999999.999999'),
    _row(SPAN, datetime.timedelta.min, datetime.timedelta.min, b'-86399999913600'),
    _row(SPAN, '-1 day, 23:00:00', -_hour, b'-3600'),
    _row(SPAN, '-01:00:00.000001', -_hour - _micro, b'-3600.000001'),
    _row(SPAN, '838:59:59', datetime.timedelta(hours=838, seconds=3599), b'3020399'),
    _row(SPAN, '90.5', datetime.timedelta(seconds=90.5), b'90.5'),
    _row(UUID, _uuid, _uuid, _uuid_text),
    _row(UUID, '{12345678123456781234567812345678}', _uuid, _uuid_text),
    _row(UUID, _uuid_text, _uuid, _uuid_text),
    _row(IPV4, '10.0.0.1', ipaddress.IPv4Address('10.0.0.1'), b'10.0.0.1'),
    _row(IPV6, '::0:1', ipaddress.IPv6Address(1), b'::1'),
    _row(NETWORK, '10.0.0.0/8', ipaddress.IPv4Network('10.0.0.0/8'), b'10.0.0.0/8'),
    _row(INTERFACE, ipaddress.ip_address('::1'), ipaddress.ip_interface('::1'), b'::1/128'),
    _row(MOMENT, _noon.replace(microsecond=5), _noon, b'2015-05-12 12:00:01'),
    _row(MOMENT, '2015-05-12 12:00:01.5', _noon, b'2015-05-12 12:00:01'),
    _row(FINE, _noon, _noon, b'2015-05-12 12:00:01.000000'),
    _row(FINE, _noon + _micro, _noon + _micro, b'2015-05-12 12:00:01.000001'),
    _row(FINE, '2015-05-12T12:00:01.0000010', _noon + _micro, b'2015-05-12 12:00:01.000001'),
    _row(AWARE, _utc + _micro, _utc, b'2015-05-12 12:00:01+00:00'),
    _row(AWARE, _utc.astimezone(_tokyo), _utc, b'2015-05-12 12:00:01+00:00'),
    _row(AWARE, '2015-05-12 14:00:01.25+02:00', _utc, b'2015-05-12 12:00:01+00:00'),
    _row(FINE_AWARE, _utc + _micro, _utc + _micro, b'2015-05-12 12:00:01.000001+00:00'),
    _row(FINE_AWARE, b'2015-05-12T12:00:01Z', _utc, b'2015-05-12 12:00:01.000000+00:00'),
    _row(BY_VALUE, Color.RED, Color.RED, b'red'),
    _row(BY_VALUE, 'red', Color.RED, b'red'),
    _row(BY_NAME, 'RED', Color.RED, b'RED'),
    _row(TONE, Tone.DARK, Tone.DARK, b'dark'),
    _row(LEVEL, 1, Level.LOW, b'1'),
    _row(LEVEL, b'1', Level.LOW, b'1'),
    _row(HASHED_LEVEL, '1', Level.LOW, b'1', md5(b'1')),
]

MAKERS = list(dict.fromkeys(sample.make for sample in SAMPLES))

READ_ONLY: list[tuple[Any, bytes, Any]] = [
    (DECIMAL, b'1E+3', Decimal(1000)),
    (FINE, b'2015-05-12 12:00:01', _noon),
    (SPAN, b'1:00:00', _hour),
]

REFUSED = [
    (DECIMAL, 0.1, ValueError, "Decimal('0.1')"),
    (DECIMAL, float('nan'), ValueError, 'digits'),
    (DECIMAL, Decimal('sNaN'), ValueError, 'digits'),
    (DECIMAL, Decimal('Infinity'), ValueError, 'digits'),
    (DECIMAL, Decimal('1E-999999'), ValueError, '200,000 digits'),
    (DECIMAL, 'x', ValueError, 'no number'),
    (DECIMAL, [], TypeError, 'list'),
    (CENTS, Decimal('1.005'), ValueError, '2 decimal places'),
    (CENTS, 19.9, ValueError, "Decimal('19.9')"),
    (DATE, datetime.datetime(2024, 2, 29, 1), ValueError, 'time or a zone'),
    (DATE, datetime.datetime(2024, 2, 29, tzinfo=datetime.UTC), ValueError, 'time or a zone'),
    (DATE, '2024-02-30', ValueError, 'YYYY-MM-DD'),
    (DATE, '20240229', ValueError, 'YYYY-MM-DD'),
    (DATE, 5, TypeError, 'int'),
    (TIME, datetime.time(1, tzinfo=datetime.UTC), ValueError, 'zone'),
    (TIME, '01:02:03+02:00', ValueError, 'zone'),
    (TIME, '01:02:03.1234567', ValueError, 'HH:MM:SS'),
    (TIME, '01', ValueError, 'HH:MM:SS'),
    (TIME, '25:00', ValueError, 'hour'),
    (TIME, _hour, TypeError, 'timedelta'),
    (SPAN, 5, TypeError, 'int'),
    (SPAN, '1 day', ValueError, 'HH:MM:SS'),
    (SPAN, '0.0000001', ValueError, 'HH:MM:SS'),
    (UUID, 'x', ValueError, 'hexadecimal'),
    (UUID, 5, TypeError, 'int'),
    (IPV4, '::1', ValueError, 'octets'),
    (IPV4, 5, TypeError, 'int'),
    (IPV4, ipaddress.ip_interface('10.0.0.1/24'), ValueError, '10.0.0.1/24'),
    (NETWORK, '10.0.0.1/8', ValueError, 'host bits'),
    (AWARE, _noon, ValueError, 'no zone'),
    (AWARE, '2015-05-12 12:00:01', ValueError, 'no zone'),
    (AWARE, 5, TypeError, 'int'),
    (AWARE, datetime.datetime.min.replace(tzinfo=_tokyo), ValueError, 'out of range'),
    (FINE, _utc, ValueError, 'IRDatetimeField(aware=True)'),
    (FINE, '2015-05-12 12:00:01.0000001', ValueError, 'microsecond'),
    (BY_VALUE, 'RED', ValueError, "'red'"),
    (BY_VALUE, Tone.DARK, ValueError, 'member of Tone'),
    (BY_VALUE, [], TypeError, 'list'),
    (BY_NAME, 'red', ValueError, "'RED'"),
]
