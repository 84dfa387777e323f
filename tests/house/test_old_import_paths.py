"""Import paths of 6.0.3. The rule: each name where a program could have imported it, and the very
object that the library itself uses."""

from __future__ import annotations

import importlib
import warnings
from types import ModuleType

import pytest

import IndexedRedis as IR

FIELD_CLASSES = {
    'base': 'IRField',
    'b64': 'IRBase64Field',
    'bytes_field': 'IRBytesField',
    'chain': 'IRFieldChain',
    'classic': 'IRClassicField',
    'compressed': 'IRCompressedField',
    'fixedpoint': 'IRFixedPointField',
    'pickle_field': 'IRPickleField',
    'raw': 'IRRawField',
    'unicode_field': 'IRUnicodeField',
}
NULLS = 'irNull IRNullType IR_NULL_STR IR_NULL_BYTES IR_NULL_UNICODE IR_NULL_STRINGS'
LINKS = 'IRForeignLinkField IRForeignMultiLinkField IRForeignLinkFieldBase'
VALUES = 'IRDatetimeValue IRJsonValue'
COMPRESSION = 'COMPRESS_MODE_ZLIB COMPRESS_MODE_BZ2 COMPRESS_MODE_LZMA IRCompressedField'
LINK_DATA = 'ForeignLinkDataBase ForeignLinkData ForeignLinkMultiData'
TOP = """
    INDEXED_REDIS_PREFIX INDEXED_REDIS_VERSION INDEXED_REDIS_VERSION_STR
    REDIS_DEFAULT_POOL_MAX_SIZE setDefaultRedisConnectionParams getDefaultRedisConnectionParams
    clearRedisPools getRedisPool RedisPools validatedModels setDefaultIREncoding
    getDefaultIREncoding to_unicode tobytes isIndexedRedisModel toggleDeprecatedMessages
    InvalidModelException IndexedRedisModel IndexedRedisQuery IndexedRedisSave IndexedRedisDelete
    IndexedRedisHelper IRField IRFieldChain IRClassicField IRForeignLinkFieldBase IRNullType
    irNull IR_NULL_STR IRQueryableList KeyList hashDictOneLevel classproperty
    fields compat_str utils deprecated __version__
"""
MODULES = {
    '': TOP,
    '.fields': ' '.join([*FIELD_CLASSES.values(), LINKS, NULLS, VALUES]),
    '.fields.null': NULLS,
    '.fields.FieldValueTypes': VALUES,
    '.fields.compressed': COMPRESSION,
    '.fields.foreign': f'{LINK_DATA} {LINKS}',
    **{f'.fields.{module}': name for module, name in FIELD_CLASSES.items()},
    '.compat_str': (
        'defaultIREncoding to_unicode tobytes setDefaultIREncoding getDefaultIREncoding isStringy '
        'isBaseStringy isEmptyString isEncodedString encoded_str_type'
    ),
    '.IRQueryableList': 'IRQueryableList',
    '.deprecated': 'toggleDeprecatedMessages deprecated deprecatedMessage',
    '.utils': 'KeyList hashDictOneLevel hashList',
}
NAMES = [
    (f'IndexedRedis{place}', name) for place, names in MODULES.items() for name in names.split()
]
# Not in the star import: `from IndexedRedis import *` never brought dunders.
STARRED = [(module, name) for module, name in NAMES if name != '__version__']


def imported(module, name):
    space: dict[str, object] = {}
    exec(f'from {module} import {name}', space)
    del space['__builtins__']
    return space


@pytest.mark.parametrize(('module', 'name'), NAMES, ids='.'.join)
def test_a_name_is_where_it_was_and_one_object_everywhere(module, name):
    (found,) = imported(module, name).values()
    others = [imported(other, name)[name] for other, same in NAMES if same == name]
    assert all(other is found for other in others)


@pytest.mark.parametrize(('module', 'name'), STARRED, ids='.'.join)
def test_a_star_import_brings_it(module, name):
    assert imported(module, '*')[name] is imported(module, name)[name]


def test_attributes_of_the_package_are_class_and_decorator_where_modules_bear_their_name():
    assert isinstance(IR.IRQueryableList, type)
    assert callable(IR.deprecated)
    for name in ('fields', 'utils', 'compat_str'):
        assert getattr(IR, name) is importlib.import_module(f'IndexedRedis.{name}')
    assert isinstance(importlib.import_module('IndexedRedis.compat_convert'), ModuleType)
    # An import of the modules does not put them in their place.
    importlib.import_module('IndexedRedis.deprecated')
    importlib.import_module('IndexedRedis.IRQueryableList')
    assert isinstance(IR.IRQueryableList, type)
    assert callable(IR.deprecated)
    assert not isinstance(IR.deprecated, ModuleType)


@pytest.mark.parametrize(('module', 'name'), FIELD_CLASSES.items())
def test_a_field_class_is_a_field(module, name):
    cls = getattr(importlib.import_module(f'IndexedRedis.fields.{module}'), name)
    assert issubclass(cls, IR.IRField)
    assert cls.__name__ == name


def test_constants():
    assert IR.INDEXED_REDIS_PREFIX == '_ir_|'
    assert IR.REDIS_DEFAULT_POOL_MAX_SIZE == 32
    assert '.'.join(map(str, IR.INDEXED_REDIS_VERSION)) == IR.INDEXED_REDIS_VERSION_STR
    assert IR.__version__ == IR.INDEXED_REDIS_VERSION_STR
    from IndexedRedis.fields import compressed

    modes = (
        compressed.COMPRESS_MODE_ZLIB,
        compressed.COMPRESS_MODE_BZ2,
        compressed.COMPRESS_MODE_LZMA,
    )
    assert modes == ('zlib', 'bz2', 'lzma')
    assert IR.IR_NULL_STR == IR.fields.IR_NULL_UNICODE == 'IRNullType()'
    assert IR.fields.IR_NULL_STRINGS == ('IRNullType()', b'IRNullType()')
    assert issubclass(IR.InvalidModelException, Exception)


def test_managers_share_a_base():
    for cls in (IR.IndexedRedisQuery, IR.IndexedRedisSave, IR.IndexedRedisDelete):
        assert issubclass(cls, IR.IndexedRedisHelper)


def test_text_helpers():
    from IndexedRedis import compat_str as text

    assert text.encoded_str_type is bytes
    answers = {
        text.isStringy: [True, True, True, True, False],
        text.isBaseStringy: [True, True, False, True, False],
        text.isEmptyString: [False, True, True, False, False],
        text.isEncodedString: [False, True, False, True, False],
    }
    for function, expected in answers.items():
        assert [function(value) for value in ('a', b'', IR.irNull, b'a', 5)] == expected
    before = IR.getDefaultIREncoding()
    try:
        text.setDefaultIREncoding('latin-1')
        assert (text.defaultIREncoding, text.getDefaultIREncoding()) == ('latin-1', 'latin-1')
        assert (text.tobytes('é'), text.to_unicode(b'\xe9')) == (b'\xe9', 'é')
    finally:
        text.setDefaultIREncoding(before)
    with pytest.raises(AttributeError, match='nothing'):
        text.nothing


def test_KeyList_is_a_list_that_is_indexed_by_name_too():
    keys = IR.KeyList([IR.IRField('a'), IR.IRField('b')])
    assert isinstance(keys, list)
    assert keys['b'] is keys[1] is keys[-1]
    assert keys.index('b') == 1
    assert type(keys[:1]) is list
    with pytest.raises(KeyError, match='c'):
        keys['c']
    with pytest.raises(IndexError):
        keys[2]


def test_hashes_of_containers():
    assert IR.hashDictOneLevel({'a': 1, 'b': 2}) == IR.hashDictOneLevel({'b': 2, 'a': 1})
    assert IR.hashDictOneLevel({'a': 1}) != IR.hashDictOneLevel({'a': 2})
    assert IR.utils.hashList([1, 2]) == IR.utils.hashList((1, 2)) != IR.utils.hashList([2, 1])
    for function, unhashable in ((IR.hashDictOneLevel, {'a': []}), (IR.utils.hashList, [[]])):
        with pytest.raises(TypeError):
            function(unhashable)


def test_classproperty_is_of_the_class():
    class Model:
        @IR.classproperty
        def label(cls):
            """What it is called."""
            return cls.__name__.lower()

    class Song(Model):
        pass

    assert (Model.label, Song.label, Song().label) == ('model', 'song', 'song')
    assert vars(Model)['label'].__doc__ == 'What it is called.'


def test_the_switch_silences_every_deprecation():
    from IndexedRedis.deprecated import deprecated, deprecatedMessage

    @deprecated('old() is now new().')
    def old():
        return 5

    uses = [old, lambda: deprecatedMessage('gone'), lambda: IR.IRField('a').convert(b'x')]
    for use in uses:
        with pytest.warns(DeprecationWarning) as caught:
            use()
        assert len(caught) == 1
        assert caught[0].filename == __file__
    assert old.__name__ == 'old'
    IR.toggleDeprecatedMessages(False)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter('error')
            results = [use() for use in uses]
    finally:
        IR.toggleDeprecatedMessages(True)
    assert results == [5, None, 'x']
    with pytest.warns(DeprecationWarning, match=r'new\(\)'):
        old()
