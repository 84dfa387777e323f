"""Bases of models in the class form. The rule: Python's order of the bases chooses the fields."""

from __future__ import annotations

import copy
import pickle
from typing import Annotated, Any, Optional, Protocol

import pytest

from IndexedRedis import IndexedRedisModel, InvalidModelException, IRField, NotNull
from unit.models.test_class_form import made


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
    assert ['name', 'number', 'right', 'left', *body] == model.FIELDS
    assert model.number is model.FIELDS[1]
    assert model.number.valueType is str
    assert model._validated().indexed_names == ('name',)


@pytest.mark.parametrize('body', [{}, {'own': IRField()}])
def test_two_bases_that_are_not_related(body):
    model = child(Stamped, Named, **body)
    assert ['name', 'number', 'created', *body] == model.FIELDS
    assert model._validated().indexed_names == ('name',)


@pytest.mark.parametrize('base', [Named, Mixed])
@pytest.mark.parametrize('other', [None, property(lambda self: 7), lambda self: 7])
def test_an_attribute_that_is_no_field_hides_a_field(base, other):
    hidden = base.FIELDS[-1].name
    model = child(base, **{hidden: other, 'own': IRField()})
    assert [*base.FIELDS[:-1], 'own'] == model.FIELDS
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
    with pytest.raises(InvalidModelException, match=r"'number' is annotated IRField\[int\]"):
        child(Named, number=IRField()).validateModel()


@pytest.mark.parametrize('body', [{}, {'b': IRField}])
@pytest.mark.parametrize('annotation', [IRField[int], NotNull[int], 'Annotated[IRField[int], 0]'])
def test_an_annotation_without_a_field(body, annotation):
    model = made(__annotations__={'b': annotation}, a=IRField(), __module__=__name__, **body)
    with pytest.raises(InvalidModelException, match=r"'b' is annotated .*but it is not a field"):
        model.validateModel()


def test_annotations_of_a_mixin_for_fields_of_the_model():
    mixin = type('Mixin', (), {'__annotations__': {'number': IRField[int], 'other': str}})
    assert child(mixin, Named).validateModel()
    assert child(mixin, Named, number=None).validateModel()


class Scaled(IRField[int]):
    """A field type of a user, with a slot."""

    __slots__ = ('scale',)

    def __init__(self, scale: int) -> None:
        super().__init__(valueType=int)
        self.scale = scale


def test_a_field_type_with_slots():
    model = made(a=Scaled(3))
    copies = [model.a, model.copyModel().a, pickle.loads(pickle.dumps(model.a)), copy.copy(model.a)]
    assert [(each.name, each.scale) for each in copies] == [('a', 3)] * 4
