"""Definitions of models. The rule: each mistake is one row, and a message says what to do."""

from __future__ import annotations

import enum
import warnings
from pathlib import PurePosixPath

import pytest

import IndexedRedis as IR
from IndexedRedis import (
    IndexedRedisModel,
    InvalidModelException,
    IRClassicField,
    IRField,
    KeyList,
    UsageError,
    fields,
    irNull,
    toggleDeprecatedMessages,
    validatedModels,
)
from unit.build import define, load

NAME, YEAR = IRField('name'), IRField('year', valueType=int)
JSON, FLOAT = IRField('tags', valueType=list), IRField('price', valueType=float)


def broken(fields=(NAME, YEAR), **body):
    return define(**{'FIELDS': fields, **body})


def named(name):
    return broken([NAME, IRField(name)])


WRONG = {
    'no KEY_NAME': (broken(KEY_NAME=None), 'KEY_NAME is not set'),
    'an empty KEY_NAME': (broken(KEY_NAME=''), 'KEY_NAME is not set'),
    'a KEY_NAME that is no text': (broken(KEY_NAME=5), 'KEY_NAME is 5; it must be text'),
    'KEY_NAME in a reserved segment': (broken(KEY_NAME='a:idx:b'), "'a:idx:b' holds ':idx'"),
    'KEY_NAME ending in one': (broken(KEY_NAME='a:keys'), "'a:keys' holds ':keys'"),
    'KEY_NAME with a surrogate': (broken(KEY_NAME='a\ud800'), 'cannot be encoded as UTF-8'),
    'no FIELDS': (broken([]), 'FIELDS is empty'),
    'FIELDS not set': (broken(()), 'FIELDS is empty'),
    'FIELDS that are text': (broken('name'), "FIELDS is 'name'; it must be a list"),
    'FIELDS without an order': (broken({NAME}), 'it must be a list of fields'),
    **{
        f'a CLIENT_SIDE_CACHE of {size!r}': (
            broken(CLIENT_SIDE_CACHE=size),
            f'CLIENT_SIDE_CACHE is {size!r}; it must be how many answers',
        )
        for size in (True, -1, '20', None)
    },
    'BASE64_FIELDS': (broken(BASE64_FIELDS=[]), 'BASE64_FIELDS is gone'),
    'BINARY_FIELDS': (broken(BINARY_FIELDS=None), 'BINARY_FIELDS is gone'),
    'a field that is none': (broken([NAME, 5]), 'FIELDS holds 5, which is no field'),
    'a field class': (broken([NAME, IRField]), 'which is no field'),
    'a field named _id': (named('_id'), "field name '_id' is the name of the primary key"),
    'a name that is not ascii': (named('é'), "field name 'é' is not ascii"),
    'an empty name': (named(''), 'a field has an empty name'),
    'a name like a lookup': (named('name__ne'), "field name 'name__ne' ends like a lookup"),
    'a name like a link': (named('name__id'), "field name 'name__id' ends like a lookup"),
    'the same name twice': (named('name'), "field 'name' is listed twice"),
    **{
        f'a name in use: {name}': (named(name), f'field name {name!r} is an attribute of')
        for name in (
            *('save', 'copy', 'FIELDS', '__init__', 'objects', 'saver', 'deleter'),
            *('_state', '_schema', '_validated', '_origData', 'foreignFields', 'toDict'),
        )
    },
    'a default of the wrong type': (
        broken([IRField('year', valueType=int, defaultValue='x')]),
        "field 'year': its defaultValue 'x' is wrong",
    ),
    'a function as default': (
        broken([IRField('at', defaultValue=warnings.warn)]),
        "field 'at': its defaultValue <built-in function warn> is wrong: a text field does not",
    ),
    'a default of a class that cannot be read back': (
        broken([IRField('path', valueType=PurePosixPath, defaultValue='/')]),
        "field 'path': its defaultValue '/' cannot be stored and read back: Song.path",
    ),
    'an unknown index': (
        broken(INDEXED_FIELDS=['nmae']),
        "INDEXED_FIELDS names 'nmae', which is not in FIELDS. Did you mean 'name'?",
    ),
    'an index that is no name': (broken(INDEXED_FIELDS=[['name']]), "holds ['name'], which is no"),
    'an index on a float': (broken([FLOAT], INDEXED_FIELDS=['price']), 'or use IRFixedPointField'),
    'an index on json': (broken([JSON], INDEXED_FIELDS=['tags']), "'tags' cannot be indexed"),
    'indexes as text': (broken(INDEXED_FIELDS='name'), "INDEXED_FIELDS is 'name'; it must be"),
    'indexes as nothing': (broken(INDEXED_FIELDS=None), 'INDEXED_FIELDS is None; it must be'),
    'an unknown sorted field': (
        broken(SORTED_FIELDS=['yaer']),
        "SORTED_FIELDS names 'yaer', which is not in FIELDS. Did you mean 'year'?",
    ),
    'a sorted field that is no name': (broken(SORTED_FIELDS=[5]), 'SORTED_FIELDS holds 5, which'),
    'sorted json': (broken([JSON], SORTED_FIELDS=['tags']), "'tags' cannot be sorted: values of"),
    'a json field marked as sorted': (
        broken([IRField('tags', valueType=list, sorted=True)]),
        "'tags' cannot be sorted: values of",
    ),
    'a json field marked as unique': (
        broken([IRField('tags', valueType=list, unique=True)]),
        "'tags' cannot be indexed",
    ),
    'sorted fields as text': (broken(SORTED_FIELDS='name'), "SORTED_FIELDS is 'name'; it must"),
    'names that share a key': (
        broken([NAME, IRField('name:x')], INDEXED_FIELDS=['name', 'name:x']),
        "'name' and 'name:x' could share a key",
    ),
}


@pytest.mark.parametrize(('model', 'fragment'), WRONG.values(), ids=WRONG)
def test_a_mistake_is_refused_at_every_use_with_what_to_do(model, fragment):
    uses = [lambda: model(), model.validateModel, lambda: model.objects, lambda: model.saver]
    for use in [*uses, lambda: model.deleter, lambda: model.reset([])]:
        with pytest.raises(InvalidModelException) as caught:
            use()
        text = str(caught.value)
        assert text.startswith('Song cannot be used:\n  - ')
        assert fragment in text
    assert model not in validatedModels


def test_all_problems_are_in_one_message():
    model = broken([IRField('_id'), JSON], INDEXED_FIELDS=['tags', 'nix'], KEY_NAME='')
    with pytest.raises(InvalidModelException) as caught:
        model()
    fragments = ['KEY_NAME', "'_id'", "'tags' cannot be indexed", "'nix', which is not in FIELDS"]
    assert len(str(caught.value).split('\n  - ')) == 1 + len(fragments)
    assert all(fragment in str(caught.value) for fragment in fragments)


@pytest.mark.parametrize('key_name', ['a:b', "a'b", '*?[\\', '{tag}', 'é', 'next', 'a:index'])
def test_any_other_key_name_is_fine(key_name):
    assert broken(KEY_NAME=key_name).validateModel() is True


def test_names_with_a_colon_are_fine_where_they_cannot_meet():
    model = broken([NAME, IRField('name:x')], INDEXED_FIELDS=['name:x'])
    assert model(**{'name:x': 'y'}).asDict(strKeys=True)['name:x'] == 'y'


@pytest.mark.parametrize('name', ['class', 'a b', "a'b", 'a"b', 'v0', 'obj', 'a{b}', '%s', '\\'])
def test_a_name_is_never_taken_for_code(name):
    model = broken([NAME, IRField(name)])
    song = load(model, **{'name': b'x', name: b'y'})
    assert (song.name, getattr(song, name)) == ('x', 'y')


def test_the_base_of_models_is_no_model():
    for use in (IndexedRedisModel, IndexedRedisModel.validateModel):
        with pytest.raises(UsageError):
            use()
    with pytest.raises(ValueError, match='derive a class'):
        IndexedRedisModel.objects


def test_fields_become_a_list_by_name_in_the_order_written():
    model = define('b', 'a', YEAR)
    assert model.validateModel() is True
    assert type(model.FIELDS) is KeyList
    assert model.FIELDS == ['b', 'a', 'year']
    assert model.FIELDS['year'] is model.FIELDS[2] is model().FIELDS['year'] is YEAR
    assert model.FIELDS.index('a') == 1
    assert type(model.FIELDS[:1]) is list
    with pytest.raises(KeyError):
        model.FIELDS['c']
    assert model.foreignFields == []


def test_plain_names_are_classic_fields_with_a_deprecation_that_points_here():
    model = broken(['b', 'a', NAME])
    with pytest.warns(DeprecationWarning) as caught:
        model()
    assert [type(field) for field in model.FIELDS] == [IRClassicField, IRClassicField, IRField]
    assert model.FIELDS == ['b', 'a', 'name']
    assert [("'b'" in str(w.message), w.filename) for w in caught] == [
        (True, __file__),
        (False, __file__),
    ]
    model()


def test_deprecations_can_be_silenced():
    toggleDeprecatedMessages(False)
    try:
        assert broken(['a'])().a == ''
    finally:
        toggleDeprecatedMessages(True)
    with pytest.warns(DeprecationWarning, match='fromStorage'):
        assert YEAR.convert(b'5') == 5


def test_a_model_is_validated_once_until_that_is_forgotten():
    model = define('name')
    model()
    model.FIELDS.append(5)
    model()
    assert model in IR.validatedModels
    IR.validatedModels.clear()
    with pytest.raises(InvalidModelException, match='which is no field'):
        model()


@pytest.mark.parametrize(
    ('attribute', 'value'),
    [('KEY_NAME', ''), ('FIELDS', []), ('INDEXED_FIELDS', ['nix']), ('CLIENT_SIDE_CACHE', '5')],
)
def test_a_definition_changed_on_the_class_is_validated_anew(attribute, value):
    model = define('name')
    subclass = type(model)('Sub', (model,), {})
    model(), subclass()
    setattr(model, attribute, value)
    for each in (model, subclass):
        with pytest.raises(InvalidModelException, match=attribute):
            each()


def test_what_is_removed_from_the_class_is_inherited_again():
    base = define('name', 'year', indexed=['name'])
    model = type(IndexedRedisModel)('Other', (base,), {'KEY_NAME': 'Other', 'PARTITIONS': 6})
    model.INDEXED_FIELDS = ['year']
    assert (model._validated().partitions, len(model._validated().indexed)) == (6, 1)
    del model.PARTITIONS, model.INDEXED_FIELDS
    assert model._validated().partitions == 0
    assert [column.name for column in model._validated().indexed] == ['name']


def test_fields_changed_on_the_class_are_used():
    model = define('name', 'old')
    model(old='x')
    model.FIELDS = [*model.FIELDS[:1], IRField('new', valueType=int)]
    assert model(name='x', new='5').asDict(strKeys=True) == {'name': 'x', 'new': 5}
    assert not hasattr(model(), 'old')


def test_a_changed_key_name_reaches_the_keys():
    model = define('name')
    assert model._validated().keys.all == b'_ir_|Song:keys'
    model.KEY_NAME = 'Other'
    assert model._validated().keys.all == b'_ir_|Other:keys'


def test_what_is_deleted_on_the_class_is_as_the_base_has_it():
    model = define('name')
    model.PARTITIONS = 6
    assert model._validated().partitions == 6
    del model.PARTITIONS
    assert model._validated().partitions == 0


def test_a_changed_default_takes_effect_at_once():
    model = define(IRField('num', valueType=int, defaultValue=1))
    assert model().num == 1
    model.FIELDS['num'].defaultValue = '2'
    assert model().num == load(model).num == 2


def test_no_warnings_in_an_ordinary_definition():
    with warnings.catch_warnings():
        warnings.simplefilter('error')
        assert define('name', YEAR, indexed=['name', YEAR])().name is irNull


LISTED = {
    'IRField': lambda **listed: IRField('f', int, **listed),
    'IRClassicField': lambda **listed: IRClassicField('f', **listed),
    'IRUnicodeField': lambda **listed: fields.IRUnicodeField('f', 'latin-1', **listed),
    'IRBytesField': lambda **listed: fields.IRBytesField('f', **listed),
    'IRBase64Field': lambda **listed: fields.IRBase64Field('f', **listed),
    'IRCompressedField': lambda **listed: fields.IRCompressedField('f', **listed),
    'IRFixedPointField': lambda **listed: fields.IRFixedPointField('f', 2, **listed),
    'IRDecimalField': lambda **listed: fields.IRDecimalField('f', 2, **listed),
    'IRDatetimeField': lambda **listed: fields.IRDatetimeField('f', **listed),
    'IREnumField': lambda **listed: fields.IREnumField('f', Size, **listed),
    'IRFieldChain': lambda **listed: fields.IRFieldChain('f', [IRField()], **listed),
}


class Size(enum.Enum):
    SMALL = 1


@pytest.mark.parametrize('kind', LISTED)
def test_a_field_can_say_itself_that_it_is_sorted_or_unique(kind):
    make, (of_unique,) = LISTED[kind], (LISTED[kind](unique=True),)
    lists = define(FIELDS=[make()], SORTED_FIELDS=['f'] if make().canSort else [])
    marks = define(FIELDS=[make(sorted=make().canSort)])
    assert marks._validated().sorted_keys == lists._validated().sorted_keys
    schema = define(FIELDS=[of_unique])._validated()
    assert [each.names for each in schema.uniques] == [('f',)]
    assert [column.name for column in schema.indexed] == ['f']
    assert (make().sorted, make().unique, of_unique.copy().unique) == (False, False, True)
    assert 'unique=True' in repr(of_unique) and 'unique' not in repr(make())


def test_a_field_that_is_marked_and_listed_is_there_once():
    field = IRField('f', sorted=True, unique=True)
    model = define(FIELDS=[field], SORTED_FIELDS=['f'], UNIQUE_FIELDS=['f'])
    schema = model._validated()
    assert (len(schema.sorted), len(schema.uniques)) == (1, 1)
    copied = model.copyModel()._validated()
    assert (len(copied.sorted), len(copied.uniques)) == (1, 1)
    model.FIELDS = [IRField('f')]
    model.SORTED_FIELDS = model.UNIQUE_FIELDS = []
    assert model._validated().sorted == model._validated().uniques == ()


def test_a_field_takes_no_other_marks():
    with pytest.raises(TypeError, match='index'):
        fields.IRDecimalField('f', index=True)
