"""The class form: fields as class attributes. The rule: it is the list form, written otherwise."""

from __future__ import annotations

import copy
import datetime
import enum
import pickle
from decimal import Decimal
from typing import Any

import pytest

from IndexedRedis import (
    FieldValueError,
    IndexedRedisModel,
    InvalidModelException,
    IRField,
    NotNull,
    UnknownNameError,
    UsageError,
    irNull,
)
from IndexedRedis.fields import (
    IRBytesField,
    IRDatetimeField,
    IREnumField,
    IRFieldChain,
    IRForeignLinkField,
    IRForeignMultiLinkField,
    IRNullType,
    IRUnicodeField,
)
from unit.build import load


def made(**body):
    """A model with this class body."""
    return type(IndexedRedisModel)('Made', (IndexedRedisModel,), {'KEY_NAME': 'Made', **body})


class Money(IRField[Decimal]):
    """A field type of a user, with a `__new__` and a `copy` of its own."""

    def __new__(cls, currency: str, *args: Any, **options: Any) -> Money:
        field = str.__new__(cls, '')
        field.minted = [currency]
        return field

    def __init__(self, currency: str, **options: Any) -> None:
        super().__init__('', Decimal, **options)
        self.currency = currency

    def copy(self) -> Money:
        duplicate = copy.copy(self)
        duplicate.minted = [*self.minted, 'copied']
        return duplicate


class Mixin:
    created: IRField[datetime.date] = IRField(valueType=datetime.date, sorted=True)


class Artist(IndexedRedisModel):
    KEY_NAME = 'ClassArtist'

    name: IRField[str] = IRField(indexed=True)


class Track(Mixin, IndexedRedisModel):
    KEY_NAME = 'ClassTrack'

    name: IRField[str] = IRField()
    seconds: NotNull[int] = IRField(valueType=int, nullable=False)
    price: Money = Money('EUR', indexed=True)
    artist: IRForeignLinkField[Artist] = IRForeignLinkField(Artist)
    similar: IRForeignMultiLinkField[Track] = IRForeignMultiLinkField(foreignModel='Track')
    lyrics: IRFieldChain[str] = IRFieldChain(chainedFields=[IRUnicodeField, IRBytesField])

    INDEXED_FIELDS = [name, artist]
    SORTED_FIELDS = (seconds,)
    UNIQUE_FIELDS = [lyrics, (name, artist)]


class Live(Track):
    KEY_NAME = 'ClassLive'

    venue: IRField[str] = IRField(defaultValue='unknown')
    name: IRField[str] = IRField(defaultValue='untitled')


def test_attributes_become_fields_of_their_name():
    names = ['created', 'name', 'seconds', 'price', 'artist', 'similar', 'lyrics']
    assert names == Track.FIELDS
    assert [field.name for field in Track.FIELDS] == names
    assert Track.INDEXED_FIELDS == ['name', 'artist']
    assert Track.SORTED_FIELDS == ('seconds',)
    assert Track.UNIQUE_FIELDS == ['lyrics', ('name', 'artist')]
    schema = Track._validated()
    assert schema.indexed_names == ('name', 'price', 'artist', 'lyrics')
    assert [column.name for column in schema.sorted] == ['created', 'seconds']


def test_an_attribute_of_the_class_is_the_field():
    for _ in range(2):  # before and after the model is validated
        assert (Live.seconds, Live.seconds.valueType) == ('seconds', int)
        assert Live.price.currency == 'EUR'
        Live.validateModel()
    assert Live.similar.foreignModel is Track


def test_own_field_types_keep_what_they_are():
    assert type(Track.price) is Money
    assert (Track.price.name, Track.price.minted) == ('price', ['EUR', 'copied'])
    assert Live.price is Track.price


def test_a_model_inherits_and_overrides_fields():
    assert [*Track.FIELDS, 'venue'] == Live.FIELDS
    assert (Live.name.defaultValue, Track.name.defaultValue) == ('untitled', irNull)
    assert Live(seconds=1).name == 'untitled'


def test_a_field_of_two_classes_is_a_field_of_each():
    shared = IRField(valueType=int)
    one = made(a=shared, b=shared)
    two = made(c=shared)
    assert (one.FIELDS, two.FIELDS, shared) == (['a', 'b'], ['c'], '')
    assert one(a=1, b=2).asDict(strKeys=True) == {'a': 1, 'b': 2}


def test_a_child_of_the_list_form_has_the_fields_of_both():
    listed = made(FIELDS=[IRField('a')], INDEXED_FIELDS=['a'])
    child = type(listed)('Child', (listed,), {'KEY_NAME': 'Child', 'b': IRField(indexed=True)})
    assert child.FIELDS == ['a', 'b']
    assert child._validated().indexed_names == ('a', 'b')
    assert listed.FIELDS == ['a']


def test_objects_and_fields_survive_pickle_and_copies():
    track = Track(name='x', seconds=3, artist=7, similar=[1, 2])
    assert pickle.loads(pickle.dumps(track)) == track
    assert repr(pickle.loads(pickle.dumps(Track.seconds))) == repr(Track.seconds)
    assert Track.copyModel()(name='x', seconds=3).seconds == 3
    assert 'nullable=False' in repr(Track.seconds)
    assert 'indexed=True' in repr(Artist.name)


def test_unknown_names_are_refused():
    with pytest.raises(UnknownNameError, match="Track has no field 'nmae'"):
        Track(nmae='x')
    with pytest.raises(UnknownNameError, match='seconds'):
        Track().secnods = 3
    lenient = made(name=IRField(), UNKNOWN_NAMES='ignore')
    assert lenient(nmae='x').name is irNull


class TestNotNull:
    @pytest.mark.parametrize('null', [None, irNull])
    def test_null_is_refused_when_it_is_assigned(self, null):
        track = Track(seconds=3)
        with pytest.raises(FieldValueError, match=r'Track\.seconds: cannot be null'):
            track.seconds = null
        assert track.seconds == 3
        with pytest.raises(FieldValueError, match=r'Track\.seconds: cannot be null'):
            Track(seconds=null)

    @pytest.mark.parametrize('count', [1, 5000])
    def test_a_missing_value_is_refused_when_it_is_saved(self, count):
        schema = Track._validated()
        with pytest.raises(FieldValueError, match=r'Track\.seconds: is null, but must have'):
            schema.encoder.rows([Track(name='x') for _ in range(count)], {})

    @pytest.mark.parametrize('field', [IRForeignLinkField(Artist, nullable=False)])
    def test_a_link_must_lead_somewhere(self, field):
        model = made(artist=field)
        with pytest.raises(FieldValueError, match=r'artist: is null, but must have'):
            model._validated().encoder.rows([model()], {})
        assert model._validated().encoder.rows([model(artist=3)], {}) == [(b'3',)]

    def test_a_default_stands_for_a_missing_value(self):
        model = made(n=IRField(valueType=int, nullable=False, defaultValue=0))
        assert model._validated().encoder.rows([model()], {}) == [(b'0',)]

    def test_a_null_that_is_stored_is_read(self):
        assert load(Track, seconds=b'IRNullType()').seconds is irNull


WRONG = [
    ({'n': IRField[str]}, IRField(valueType=int), 'n.* annotated IRField.str., but it holds .*int'),
    ({'n': NotNull[int]}, IRField(valueType=int), 'takes null; add nullable=False'),
    ({'n': NotNull[str]}, IRField(valueType=int, nullable=False), 'it holds values of int'),
    ({'n': IRDatetimeField}, IRField(), 'IRDatetimeField, but it is an IRField'),
    ({'n': 'IRField[bytes]'}, IRField(valueType=bool), 'IRField.bytes., but it holds .*bool'),
    ({'n': str}, IRField(valueType=int), 'annotated str, but it holds values of int'),
    ({'n': 'float | None'}, IRField(valueType=str), r'float \| None, but it holds values of str'),
]
RIGHT = [
    ({'n': IRField[bool]}, IRField(valueType=bool)),
    ({'n': IRField[Decimal]}, IRField(valueType=Decimal)),
    ({'n': IRField[datetime.datetime]}, IRField(valueType=datetime.datetime)),
    ({'n': IRField[dict]}, IRField(valueType=dict)),
    ({'n': NotNull[datetime.datetime]}, IRDatetimeField(nullable=False)),
    ({'n': IRField[Any]}, IRField(valueType=int)),
    ({'n': 'int | None'}, IRField(valueType=int)),
    ({'n': 'NowhereDefined[int]'}, IRField(valueType=int)),
    ({'n': IRField}, IRDatetimeField()),
    ({'n': IRNullType | None}, IRField()),
]


@pytest.mark.parametrize(('annotations', 'field', 'problem'), WRONG)
def test_annotations_that_are_wrong(annotations, field, problem):
    model = made(__annotations__=annotations, n=field)
    with pytest.raises(InvalidModelException, match=problem):
        model.validateModel()
    listed = made(__annotations__=annotations, FIELDS=[field.named('n')])
    with pytest.raises(InvalidModelException, match=problem):
        listed.validateModel()


@pytest.mark.parametrize(('annotations', 'field'), RIGHT)
def test_annotations_that_are_right_or_unknown(annotations, field):
    model = made(__annotations__=annotations, n=field)
    assert model.validateModel()


def test_an_attribute_that_FIELDS_lacks():
    model = made(FIELDS=[IRField('a')], b=IRField())
    with pytest.raises(InvalidModelException, match="field 'b' is an attribute that FIELDS lacks"):
        model.validateModel()


def test_a_field_that_comes_later_is_refused():
    model = made(n=IRField())
    with pytest.raises(UsageError, match=r'Made\.late: a field is an attribute in the body'):
        model.late = IRField()
    assert [field.name for field in model.FIELDS] == ['n']


def test_FIELDS_may_list_the_attributes():
    title = IRField()
    model = made(title=title, FIELDS=[title], INDEXED_FIELDS=[title])
    assert model._validated().indexed_names == ('title',)


def test_a_class_in_the_place_of_the_name():
    with pytest.raises(TypeError, match=r"name of a field is text, not <class 'int'>.*valueType="):
        IRField(int)


def test_type_checkers_are_told_that_any_name_is_taken():
    class Song(IndexedRedisModel, init=False):
        KEY_NAME = 'ClassSong'
        FIELDS = [IRField('title')]
        title: str

    assert Song(title='x').title == 'x'


@pytest.mark.parametrize(
    'value', [(IRField(),), 'unknown', IRField], ids=['comma', 'default', 'class']
)
def test_an_annotated_attribute_that_is_no_field(value):
    model = made(__annotations__={'name': IRField[str]}, name=value, other=IRField())
    with pytest.raises(
        InvalidModelException, match=r"field 'name' .* it is not a field; assign one"
    ):
        model.validateModel()


def test_a_set_of_attributes_is_refused():
    one, other = IRField(), IRField()
    model = made(one=one, other=other, INDEXED_FIELDS={one, other})
    with pytest.raises(InvalidModelException, match=r'a field without a name; list fields in \[\]'):
        model.validateModel()


@pytest.mark.parametrize(
    ('options', 'message'),
    [
        ({'default': 3}, r"IRField takes no parameter 'default'\. Write defaultValue="),
        ({'index': True}, r"takes no parameter 'index'\. Write indexed=True"),
        ({'colour': 1}, r"takes no parameter 'colour'\.$"),
    ],
)
def test_parameters_of_other_mappers(options, message):
    with pytest.raises(TypeError, match=message):
        IRField(**options)


def test_a_link_by_name_says_how():
    with pytest.raises(TypeError, match=r"Write foreignModel=.*foreignModel='Artist'"):
        IRForeignLinkField('Artist')


def test_the_enum_comes_first_in_a_class_body():
    class Color(enum.Enum):
        RED = 'red'

    assert made(color=IREnumField(Color))(color='red').color is Color.RED
