"""The contract of every field type. The rule: it knows no type, only the tables of samples."""

from __future__ import annotations

import copy
import pickle
import re
from datetime import datetime
from typing import Any
from uuid import UUID

import pytest
from samples import advanced as samples_advanced
from samples import fields as samples
from samples import types as samples_types
from samples.advanced import NONE_IS_A_VALUE
from samples.fields import NULL, NULL_MD5, WITHOUT_NULL

from IndexedRedis import FieldTypeError, FieldValueError, IRField, irNull
from IndexedRedis._core.column import Column

TABLES = (samples, samples_advanced, samples_types)
SAMPLES = [row for table in TABLES for row in table.SAMPLES]
READ_ONLY = [row for table in TABLES for row in table.READ_ONLY]
REFUSED = [row for table in TABLES for row in table.REFUSED]
MAKERS = [make for table in TABLES for make in table.MAKERS]


def label(make: Any) -> str:
    properties = ','.join(f'{name}={brief(value)}' for name, value in make.keywords.items())
    return f'{make.func.__name__}({properties})'


def brief(value: Any) -> str:
    if not isinstance(value, list):
        return str(value)
    return '+'.join(getattr(item, '__name__', type(item).__name__) for item in value)


def shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 30 else text[:30] + '...'


def column(make: Any) -> Column:
    return Column('Song', make(), indexed=True)


def alike(one: Any, other: Any) -> bool:
    """Equal and of one type, or a subtype of it; signs of zero count and nan is nan."""
    if isinstance(one, float) and isinstance(other, float):
        return repr(float(one)) == repr(float(other))
    return bool(one == other) and isinstance(one, type(other))


def signature(field: IRField) -> Any:
    public = {name: value for name, value in vars(field).items() if not name.startswith('_')}
    return type(field), field.name, public


every_sample = pytest.mark.parametrize(
    'sample', SAMPLES, ids=[f'{label(s.make)}-{shown(s.given)}' for s in SAMPLES]
)
every_field = pytest.mark.parametrize('make', MAKERS, ids=label)
NULLABLE = [make for make in MAKERS if make not in WITHOUT_NULL]
every_nullable_field = pytest.mark.parametrize('make', NULLABLE, ids=label)


def every_null(*spellings: Any) -> Any:
    """Each field with each spelling of null that it takes."""
    pairs = [
        (make, null)
        for make in NULLABLE
        for null in (irNull, None, *spellings)
        if null is not None or make not in NONE_IS_A_VALUE
    ]
    ids = [f'{label(make)}-{null!r}' for make, null in pairs]
    return pytest.mark.parametrize(('make', 'null'), pairs, ids=ids)


@every_sample
def test_input_becomes_the_attribute(sample):
    assert alike(sample.make().fromInput(sample.given), sample.value)


@every_sample
def test_an_attribute_can_be_assigned_again(sample):
    field = sample.make()
    assert alike(field.fromInput(field.fromInput(sample.given)), sample.value)


@every_sample
def test_the_attribute_becomes_the_stored_bytes(sample):
    it = column(sample.make)
    assert it.encode(it.from_input(sample.given)) == sample.stored


@every_sample
def test_stored_bytes_become_the_fetched_value(sample):
    assert alike(column(sample.make).decode(sample.stored), sample.fetched)


@every_sample
def test_a_fetched_value_is_stored_as_it_was(sample):
    it = column(sample.make)
    assert it.encode(it.decode(sample.stored)) == sample.stored


@every_sample
def test_the_field_says_whether_it_can_be_indexed(sample):
    assert sample.make().CAN_INDEX is (sample.index is not None)


@pytest.mark.parametrize(
    'sample',
    [s for s in SAMPLES if s.index is not None],
    ids=[f'{label(s.make)}-{shown(s.given)}' for s in SAMPLES if s.index is not None],
)
def test_insert_update_and_filter_agree_on_the_index_key(sample):
    it = column(sample.make)
    assert it.index_of(it.from_input(sample.given)) == sample.index
    assert it.index_of_stored(sample.stored) == sample.index
    assert it.indexes_of_filter(sample.given)[0] == sample.index


@every_sample
def test_a_default_is_converted_as_if_assigned(sample):
    field = sample.make()
    field.defaultValue = sample.given
    assert alike(field.getDefaultValue(), sample.value)


@every_sample
def test_a_default_that_can_change_is_never_shared(sample):
    field = sample.make()
    field.defaultValue = sample.given
    one, other = field.getDefaultValue(), field.getDefaultValue()
    # Copies of these are new objects, although they cannot change.
    can_be_shared = copy.deepcopy(one) is one or isinstance(one, (UUID, datetime))
    assert can_be_shared or one is not other
    assert can_be_shared or one is not field.defaultValue


@every_sample
def test_an_absent_field_reads_as_its_default(sample):
    field = sample.make()
    field.defaultValue = sample.given
    assert alike(Column('Song', field, indexed=False).decode(None), sample.value)


@every_null()
def test_null_goes_in_and_comes_out(make, null):
    it = column(make)
    assert it.from_input(null) is irNull
    assert it.encode(null) == NULL
    assert it.field.toStorage(null) == NULL.decode()


@every_nullable_field
@pytest.mark.parametrize('stored', [NULL, NULL.decode()], ids=repr)
def test_the_null_text_reads_as_null(make, stored):
    assert make().fromStorage(stored) is irNull


@every_null(NULL, NULL.decode())
def test_null_has_one_index_key(make, null):
    it = column(make)
    expected = NULL_MD5 if it.field.isIndexHashed else NULL
    assert it.field.toIndex(null) == expected.decode()
    assert it.indexes_of_filter(null)[0] == expected
    assert it.index_of_stored(NULL) == expected


@every_field
def test_the_default_is_null_or_the_empty_text(make):
    assert make().getDefaultValue() in ('', irNull)


@every_field
@pytest.mark.parametrize(
    'duplicate',
    [
        lambda field: field.copy(),
        copy.copy,
        copy.deepcopy,
        *(lambda f, p=p: pickle.loads(pickle.dumps(f, p)) for p in range(6)),
    ],
    ids=['.copy', 'copy.copy', 'deepcopy', *(f'pickle{p}' for p in range(6))],
)
def test_copies_have_the_signature_of_the_original(make, duplicate):
    field = make()
    twin = duplicate(field)
    assert twin is not field
    assert signature(twin) == signature(field)


@every_field
def test_a_changed_copy_leaves_the_original_alone(make):
    field = make()
    before = dict(vars(field))
    field.copy().defaultValue = 'other'
    assert vars(field) == before


@every_field
def test_a_field_is_its_name(make):
    field = make()
    assert field == 'name'
    assert {'name': 1}[field] == 1
    assert str(field) == field.name == 'name'
    assert type(field.name) is type(str(field)) is str


@every_field
def test_repr_names_class_field_and_default(make):
    text = repr(make())
    assert text.startswith(f'{make.func.__name__}( "name", ')
    assert 'defaultValue=' in text
    assert text.endswith(' )')


@every_field
def test_the_name_is_empty_unless_given(make):
    assert make.func(**make.keywords).name == ''


@pytest.mark.parametrize(
    ('make', 'stored', 'value'),
    READ_ONLY,
    ids=[f'{label(make)}-{shown(stored)}' for make, stored, _ in READ_ONLY],
)
def test_what_others_stored_can_be_read(make, stored, value):
    assert alike(column(make).decode(stored), value)


@pytest.mark.parametrize(
    ('make', 'given', 'error', 'fragment'),
    REFUSED,
    ids=[f'{label(make)}-{re.sub(" at 0x.*", "", shown(given))}' for make, given, *_ in REFUSED],
)
def test_a_refusal_names_model_field_and_value(make, given, error, fragment):
    with pytest.raises(FieldValueError) as caught:
        column(make).from_input(given)
    text = str(caught.value)
    assert text.startswith(f'Song.name: cannot hold {shown(given)[:30]}')
    assert fragment in text
    assert isinstance(caught.value, FieldTypeError) is (error is TypeError)


def test_all_tables_are_about_the_same_fields():
    assert {make for make, *_ in [*READ_ONLY, *REFUSED]} <= set(MAKERS)
