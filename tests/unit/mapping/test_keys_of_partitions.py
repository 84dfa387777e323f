"""The names of keys of partitions: they say whose they are, and no two models share one."""

from __future__ import annotations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from IndexedRedis._core.keys import RESERVED_SEGMENTS, Keys, model_and_kind, parse_key
from IndexedRedis._core.partitions.layout import ShardKeys, tags

NASTY = ['Songs', 'Songs:7', '{shop}Songs', '{6.2}x', '{6.2}', '{6.2}:x', '7:Songs', 'keys:5:x']
NASTY += [':', 'data:5:x', '{}', '{', '}', 'a{6.2}:b', '{6.2}:key', 'x:indexes', '{48.0}']
NASTY += ['0:{48.0}:1', '*?[']
NASTY += [
    '\n',
    'Songs:edition',
    'edition',
    'keys',
    'keys:edition',
    '_ir_|Songs',
    '5',
    '{6.2}:keyx:5:a',
    '{17}',
    '{6.2',
]


def is_legal(name):
    return not any(f'{part}:' in name or name.endswith(part) for part in RESERVED_SEGMENTS)


ALPHABET = st.sampled_from('{}:|*ab017_') | st.sampled_from(
    [*RESERVED_SEGMENTS, 'keys', 'edition', 'data', 'idx', '{6.2}', '{6.2}:keys:5', '_ir_|']
)
NAMES = st.one_of(
    st.sampled_from(NASTY),
    st.lists(ALPHABET, min_size=1, max_size=8).map(''.join),
    st.text(min_size=1),
).filter(lambda name: is_legal(name) and name.isprintable() | (name == '\n'))
VALUES = st.one_of(
    st.sampled_from(
        [b'', b'1', b':keys', b'keys:edition', b'a:data:5', b'x\ny', b':next', b'\xff']
    ),
    st.binary(max_size=8),
)
COUNTS = st.sampled_from([2, 6, 48])


@st.composite
def keys_of_models(draw):
    """A key, with all that its name is to say."""
    name = draw(NAMES)
    if draw(st.booleans()):
        count, edition = draw(COUNTS), draw(st.integers(1, 20))
        number = draw(st.integers(0, count - 1))
        keys = ShardKeys(name, number, count, edition)
        tag = tags(count)[number]
        shared = [(keys.next, 'next', b''), (keys.fence, 'edition', b'')]
        shared.append((keys.incarnations, 'tmp', b'incarnations'))
        if draw(st.integers(0, 3)) == 0:
            return *draw(st.sampled_from(shared)), name, tag, 0
    else:
        keys, tag, edition = Keys(name), None, None
    value = draw(VALUES)
    some = [
        (keys.all, 'keys', b''),
        (keys.edition, 'edition', b''),
        (keys.data(7), 'data', b'7'),
        (keys.index(b'f', value), 'idx', b'f:' + value),
        (keys.sorted(b'f'), 'sorted', b'f'),
        (keys.tmp + value, 'tmp', value),
    ]
    if tag is None:
        some.append((keys.next, 'next', b''))
    return *draw(st.sampled_from(some)), name, tag, edition


@given(keys_of_models())
def test_the_name_of_a_key_says_whose_it_is(made):
    key, kind, rest, name, tag, edition = made
    parts = parse_key(key)
    assert (parts.model, parts.kind, parts.rest) == model_and_kind(key) == (name, kind, rest)
    assert (parts.tag, parts.edition) == (tag, edition)


@given(keys_of_models(), keys_of_models())
def test_no_two_models_nor_editions_share_a_key(one, other):
    assume((one[1:]) != (other[1:]))
    assert one[0] != other[0]


@given(keys_of_models(), NAMES, COUNTS, st.data())
def test_a_model_takes_no_key_of_another_for_its_own(made, name, count, data):
    key, _, _, owner, _, _ = made
    assume(name != owner)
    number, edition = data.draw(st.integers(0, count - 1)), data.draw(st.integers(1, 20))
    assert not Keys(name).is_own(key)
    assert not ShardKeys(name, number, count, edition).is_own(key)


@pytest.mark.parametrize('name', [name for name in NASTY if is_legal(name)])
@pytest.mark.parametrize('count', [2, 48])
def test_an_edition_owns_its_keys_and_those_that_all_share(name, count):
    keys, other = ShardKeys(name, 1, count, 3), ShardKeys(name, 1, count, 4)
    own = [keys.all, keys.edition, keys.data(1), keys.index(b'a', b'x'), keys.sorted(b'a')]
    assert all(keys.is_own(key) and not other.is_own(key) for key in [*own, keys.lock])
    assert keys.is_own(keys.fence) and other.is_own(keys.fence)
    assert (keys.next, keys.fence, keys.incarnations) == (
        *(other.next, other.fence, other.incarnations),
    )
    assert not any(Keys(name).is_own(key) for key in (*own, keys.next, keys.fence))
    assert keys.type_of(keys.fence) == keys.type_of(keys.next) == b'string'
    assert keys.type_of(keys.all) == b'set'


@pytest.mark.parametrize(
    'key',
    [
        b'_ir_|{6.2}:keys:5:',
        b'_ir_|{6.2}:keys:5::data:1',
        b'_ir_|{6.2}:keys:05:Songs:data:1',
        b'_ir_|{6.02}:keys:5:Songs:data:1',
        b'_ir_|{0.2}:keys:5:Songs:data:1',
        b'_ir_|{17}:keys:5:Songs:data:1',
        b'_ir_|{x}:keys:5:Songs:data:1',
        b'_ir_|{6.2}:keys::Songs:data:1',
        b'_ir_|{6.2}:keys:-1:Songs:data:1',
        b'_ir_|{6.2}:keys:5:Songs',
        b'_ir_|{6.2}:keys:5:\xff:data:1',
        b'_ir_|{6.2}:keys:5:{6.2}:keys:5:Songs:data:1',
    ],
)
def test_other_names_are_of_no_model(key):
    assert parse_key(key) is None
