"""Bases of models in the class form. The rule: Python's order of the bases chooses the fields."""

from __future__ import annotations

from typing import Annotated, Any, Optional, Protocol

import pytest

from IndexedRedis import IndexedRedisModel, InvalidModelException, IRField

from .test_class_form import made


class Named(IndexedRedisModel):
    KEY_NAME = 'BasesNamed'

    name: IRField[str] = IRField()
    number: IRField[int] = IRField(valueType=int)

    INDEXED_FIELDS = [name]


class Stamped(IndexedRedisModel):
    created: IRField[str] = IRField()


class Left(Named):
    left: IRField[str] = IRField()


class Right(Named):
    number: IRField[str] = IRField()  # type: ignore[assignment]
    right: IRField[str] = IRField()


class Mixin:
    extra: IRField[int] = IRField(valueType=int)


class Mixed(Mixin, IndexedRedisModel):
    KEY_NAME = 'BasesMixed'


def child(*bases: Any, **body: Any) -> Any:
    return type(IndexedRedisModel)('Child', bases, {'KEY_NAME': 'BasesChild', **body})


@pytest.mark.parametrize('body', [{}, {'own': IRField()}])
@pytest.mark.parametrize('is_validated', [False, True])
def test_two_branches_of_one_base(body, is_validated):
    if is_validated:
        for each in (child(Left), child(Right), Named):
            each.validateModel()
    model = child(Left, Right, **body)
    assert model.FIELDS == ['name', 'number', 'right', 'left', *body]
    assert model.number is model.FIELDS[1]
    assert model.number.valueType is str
    assert model._validated().indexed_names == ('name',)


@pytest.mark.parametrize('body', [{}, {'own': IRField()}])
def test_two_bases_that_are_not_related(body):
    model = child(Stamped, Named, **body)
    assert model.FIELDS == ['name', 'number', 'created', *body]
    assert model._validated().indexed_names == ('name',)


@pytest.mark.parametrize('base', [Named, Mixed])
@pytest.mark.parametrize('other', [None, property(lambda self: 7), lambda self: 7])
def test_an_attribute_that_is_no_field_hides_a_field(base, other):
    hidden = base.FIELDS[-1].name
    model = child(base, **{hidden: other, 'own': IRField()})
    assert model.FIELDS == [*base.FIELDS[:-1], 'own']
    model.validateModel()
    assert vars(model)[hidden] is other


def test_a_mixin_has_one_field_for_a_model_and_its_children():
    assert child(Mixed).extra is Mixed.extra
    overridden = child(child(Mixed, extra=IRField()), own=IRField())
    assert overridden.FIELDS == ['extra', 'own']
    assert overridden.extra is overridden.FIELDS[0]
    assert overridden.extra.valueType is str


def test_a_list_says_all_to_children_too():
    listed = child(Named, FIELDS=[IRField('only')], INDEXED_FIELDS=[])
    assert child(listed, own=IRField()).FIELDS == ['only', 'own']
    Named_ = child(Named)
    Named_.FIELDS = [IRField('name')]
    assert child(Named_, own=IRField()).FIELDS == ['name', 'own']


def test_a_base_with_FIELDS_to_be_filled_in():
    base = type(IndexedRedisModel)('Base', (IndexedRedisModel,), {'FIELDS': None})
    assert child(base, FIELDS=[IRField('a')])(a='x').a == 'x'


def test_an_attribute_with_a_field_of_another_name():
    base = type(IndexedRedisModel)('Base', (IndexedRedisModel,), {'title': IRField('titel')})
    message = "attribute 'title' is a field with the name 'titel'; leave the name out"
    for model in (made(a=IRField(), title=IRField('titel')), child(base, a=IRField())):
        with pytest.raises(InvalidModelException, match=message):
            model.validateModel()
    unused = made(FIELDS=[IRField('a')], OLD=IRField('old'))
    assert unused.connectAlt({'db': 1}).validateModel()


class Shouting(Protocol):
    def shout(self) -> str: ...


@pytest.mark.parametrize(
    'annotation',
    [
        Annotated[IRField[int], 'seconds'],
        IRField[Annotated[int, 'seconds']],
        Optional[IRField[int]],  # noqa: UP045
        IRField[str] | IRField[int],
        IRField[Shouting],
    ],
)
def test_annotations_that_say_more(annotation):
    assert made(__annotations__={'n': annotation}, n=IRField(valueType=int)).validateModel()


@pytest.mark.parametrize(
    'annotation', [Annotated[IRField[str], 'x'], IRField[Annotated[str, 'x']], IRField[str] | None]
)
def test_wrong_annotations_that_say_more(annotation):
    model = made(__annotations__={'n': annotation}, n=IRField(valueType=int))
    with pytest.raises(InvalidModelException, match='it holds values of int'):
        model.validateModel()


def test_the_annotation_of_an_overridden_field_says_nothing():
    assert child(Right).validateModel()
    with pytest.raises(InvalidModelException, match="'number' is annotated IRField.int."):
        child(Named, number=IRField()).validateModel()
