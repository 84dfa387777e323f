"""Classes of users as `valueType=`, and the fields of Enums. The rule: what cannot come back is
refused, at the definition where it can be known, else before anything is stored."""

from __future__ import annotations

import enum
import fractions
import pathlib

import pytest
from samples.fields import Color, Level, Money, Tone

from IndexedRedis import FieldValueError, IRField
from IndexedRedis._core.column import Column
from IndexedRedis.fields import IRDecimalField, IREnumField


class Garbled(str):
    """Of bytes it makes the text of their repr."""

    __slots__ = ()


class Forgetful(Money):
    """One whose stored form lacks its value."""

    def __str__(self):
        return '0c' if self.cents else '1c'


class Own(Money):
    """One that compares by identity."""

    __eq__ = object.__eq__
    __hash__ = object.__hash__


class Shade(enum.Enum):
    """An Enum that reads bytes itself."""

    DARK = 'dark'

    def __str__(self):
        return self.value

    @classmethod
    def _missing_(cls, value):
        return cls(value.decode()) if isinstance(value, bytes) else None


class Access(enum.Flag):
    READ = 1
    WRITE = 2


Null = enum.Enum('Null', {'IT': 'IRNullType()'})
Twins = enum.Enum('Twins', {'NUMBER': 1, 'TEXT': '1'})
Lists = enum.Enum('Lists', {'EMPTY': ()})


def column(kind):
    return Column('Song', IRField('it', valueType=kind), indexed=False)


@pytest.mark.parametrize(
    ('kind', 'given', 'reason'),
    [
        (pathlib.PurePosixPath, '/tmp', r"PurePosixPath\(b'/tmp'\) raises TypeError"),
        (fractions.Fraction, '1/3', r"Fraction\(b'1/3'\) raises TypeError"),
        (complex, '1j', r"complex\(b'1j'\) raises TypeError"),
        (Garbled, 'a', r'Garbled\(b\'a\'\) gives "b\'a\'"'),
        (Forgetful, '3', r"Forgetful\(b'0c'\) gives Forgetful\('1c'\)"),
    ],
)
def test_what_its_class_cannot_read_back_is_not_stored(kind, given, reason):
    it = column(kind)
    value = it.from_input(given)
    with pytest.raises(FieldValueError, match=rf'^Song\.it: cannot hold .* read it back: {reason}'):
        it.encode(value)


@pytest.mark.parametrize('kind', [Money, Own, Shade])
def test_what_its_class_reads_back_is_stored(kind):
    it = column(kind)
    stored = it.encode(it.from_input('dark' if kind is Shade else 3))
    assert it.encode(it.decode(stored)) == stored


@pytest.mark.parametrize('kind', [Color, Tone, Level])
def test_an_enum_needs_a_field_of_its_own(kind):
    with pytest.raises(TypeError, match=rf'valueType={kind.__name__} .*Use IREnumField'):
        IRField('it', valueType=kind)


@pytest.mark.parametrize(
    ('make', 'error', 'reason'),
    [
        (lambda: IREnumField('it', int), TypeError, 'not an Enum'),
        (lambda: IREnumField('it'), TypeError, 'not an Enum'),
        (lambda: IREnumField('it', Access), TypeError, 'valueType=int'),
        (lambda: IREnumField('it', Color, by='nme'), ValueError, "use 'value' or 'name'"),
        (lambda: IREnumField('it', Null), ValueError, "use by='name'"),
        (lambda: IREnumField('it', Twins), ValueError, "use by='name'"),
        (lambda: IREnumField('it', Lists), ValueError, 'values without a text'),
    ],
)
def test_a_field_that_cannot_work_is_not_made(make, error, reason):
    with pytest.raises(error, match=f"'it': .*{reason}"):
        make()


@pytest.mark.parametrize(
    ('make', 'error', 'reason'),
    [
        (lambda: IRDecimalField('it', decimalPlaces=-1), ValueError, 'negative'),
        (lambda: IRField('it', valueType=float, decimalPlaces=2), TypeError, 'IRFixedPointField'),
        (lambda: IRField('it', decimalPlaces=2), TypeError, 'valueType=Decimal'),
        (lambda: IRField('it', valueType=None, decimalPlaces=2), TypeError, 'valueType=Decimal'),
    ],
)
def test_decimal_places_are_of_decimals(make, error, reason):
    with pytest.raises(error, match=reason):
        make()


@pytest.mark.parametrize('kind', [Null, Twins, Lists])
def test_every_enum_has_names(kind):
    it = Column('Song', IREnumField('it', kind, by='name'), indexed=True)
    for member in kind:
        assert it.decode(it.encode(member)) is member
