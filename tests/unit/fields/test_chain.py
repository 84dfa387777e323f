"""Chains. The rule: the leftmost field says what goes in and comes out, the rightmost how it is
indexed."""

from __future__ import annotations

import pytest

from IndexedRedis import InvalidModelException, IRClassicField, IRField, irNull
from IndexedRedis.fields import (
    IRBase64Field,
    IRBytesField,
    IRCompressedField,
    IRFieldChain,
    IRFixedPointField,
    IRPickleField,
    IRRawField,
    IRUnicodeField,
)
from unit.build import define

TEXT = IRField()


def chain(*fields, **properties):
    return IRFieldChain('name', list(fields), **properties)


@pytest.mark.parametrize(
    ('name', 'fields', 'fragment'),
    [
        ('name', [], 'chainedFields is empty'),
        ('name', None, 'chainedFields is empty'),
        ('name', [IRField(), IRField('inner')], "'inner' in it has a name"),
        ('name', [IRField(), 'text'], "'text' is no field"),
        ('name', [IRField(), int], "<class 'int'> is no field"),
        ('name', [IRField(), IRFieldChain('inner', [IRField()])], 'chain cannot be part of a'),
    ],
)
def test_a_chain_that_cannot_be_is_refused_at_once(name, fields, fragment):
    with pytest.raises(ValueError) as caught:
        IRFieldChain(name, fields)
    assert fragment in str(caught.value)


def test_a_class_stands_for_a_field_of_it():
    field = chain(IRField, IRCompressedField)
    assert [type(inner) for inner in field.chainedFields] == [IRField, IRCompressedField]
    assert field.fromStorage(field.toStorage('é')) == 'é'


@pytest.mark.parametrize(
    ('fields', 'indexable'),
    [
        ([IRField()], True),
        ([IRField(valueType=int), IRFixedPointField()], True),
        ([IRBytesField(), IRBase64Field(), IRCompressedField(), IRUnicodeField()], True),
        ([IRField(valueType=float), IRBase64Field()], False),
        ([IRField(valueType=dict), IRCompressedField()], False),
        ([IRPickleField(), IRBase64Field()], False),
        ([IRField(), IRRawField()], False),
    ],
)
def test_it_is_indexable_if_all_of_it_is(fields, indexable):
    field = chain(*fields)
    assert field.CAN_INDEX is indexable
    model = define(field, indexed=['name'])
    if indexable:
        assert model.validateModel()
    else:
        with pytest.raises(InvalidModelException, match='name'):
            model.validateModel()


@pytest.mark.parametrize(
    ('fields', 'asked', 'hashed', 'free'),
    [
        ([IRField()], False, False, True),
        ([IRField()], True, True, True),
        ([IRField(), IRBase64Field()], False, True, False),
        ([IRField(), IRBase64Field()], True, True, False),
        ([IRBase64Field(), IRField()], False, False, True),
        ([IRBase64Field(), IRField()], True, True, True),
    ],
)
def test_the_rightmost_field_or_the_chain_has_it_hashed(fields, asked, hashed, free):
    field = chain(*fields, hashIndex=asked)
    for each in (field, field.copy()):
        assert (each.isIndexHashed, each.hashIndex, each.canChooseHash) == (hashed, hashed, free)
    assert f'hashIndex={hashed}' in repr(field)


def test_a_copy_of_the_model_keeps_the_hash_and_owns_its_fields():
    model = define(chain(IRFixedPointField(decimalPlaces=2), IRField(), hashIndex=True))
    copied = model.copyModel().FIELDS['name']
    assert copied.isIndexHashed
    copied.chainedFields[0].decimalPlaces = 4
    assert model.FIELDS['name'].toStorage(1.23456) == '1.23'
    assert copied.toStorage(1.23456) == '1.2346'


def test_defaults_of_inner_fields_do_not_count():
    inner = [IRField(defaultValue='x'), IRClassicField(), IRBase64Field(defaultValue=b'y')]
    assert define(chain(*inner))().name is irNull
    assert define(chain(*inner, defaultValue=5))().name == '5'


@pytest.mark.parametrize(
    ('fields', 'given', 'attribute'),
    [
        ([IRField(valueType=int), IRBase64Field()], 5, 5),
        ([IRField(valueType=dict), IRCompressedField(), IRBase64Field()], {'a': 1}, {'a': 1}),
        ([IRUnicodeField(encoding='utf-16'), IRBase64Field()], 'é', 'é'),
        ([IRBytesField(), IRUnicodeField(encoding='latin-1')], b'\xe9', b'\xe9'),
    ],
)
def test_input_is_for_the_leftmost_field_alone(fields, given, attribute):
    obj = define(chain(*fields))(name=given)
    assert obj.name == attribute
    assert type(obj.name) is type(attribute) or isinstance(attribute, dict)
    obj.name = given
    assert obj.name == attribute


def test_a_mutable_value_is_compared_by_its_value():
    obj = define(chain(IRField(valueType=list), IRCompressedField()))(name=[1])
    assert not obj.FIELDS['name'].isImmutable
    assert chain(IRField(valueType=int), IRPickleField()).isImmutable
