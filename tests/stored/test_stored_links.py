"""Links in the database. The rule: keys and bytes are those of IndexedRedis 6.0.3, both ways; each
expectation is written out as the raw commands that 6.0.3 sends."""

from __future__ import annotations

import pytest
from support.keyspace import dump
from support.linked import Author, Book

from IndexedRedis import IRField, irNull
from IndexedRedis.fields import (
    IRBase64Field,
    IRCompressedField,
    IRFieldChain,
    IRForeignLinkField,
    IRForeignMultiLinkField,
    IRUnicodeField,
)

N = 'IRNullType()'
B, A = '_ir_|Linked:Book:', '_ir_|Linked:Author:'

# What 6.0.3 sends for: two authors; a book of the first; one of the second, similar to it; one
# without links. Their pks are drawn by INCR before each transaction.
INSERTS = [
    ('INCR', A + 'next'),
    ('HSET', A + 'data:1', 'name', 'Ann', 'born', '1950', 'favourite', N),
    ('SADD', A + 'keys', '1'),
    ('SADD', A + 'idx:name:Ann', '1'),
    ('INCR', A + 'next'),
    ('HSET', A + 'data:2', 'name', 'Bob', 'born', N, 'favourite', N),
    ('SADD', A + 'keys', '2'),
    ('SADD', A + 'idx:name:Bob', '2'),
    ('INCR', B + 'next'),
    ('HSET', B + 'data:1', 'title', 'one', 'author', '1', 'similar', N),
    ('SADD', B + 'keys', '1'),
    ('SADD', B + 'idx:title:one', '1'),
    ('SADD', B + 'idx:author:1', '1'),
    ('SADD', B + f'idx:similar:{N}', '1'),
    ('INCR', B + 'next'),
    ('HSET', B + 'data:2', 'title', 'two', 'author', '2', 'similar', '1,2'),
    ('SADD', B + 'keys', '2'),
    ('SADD', B + 'idx:title:two', '2'),
    ('SADD', B + 'idx:author:2', '2'),
    ('SADD', B + 'idx:similar:1,2', '2'),
    ('INCR', B + 'next'),
    ('HSET', B + 'data:3', 'title', 'three', 'author', N, 'similar', N),
    ('SADD', B + 'keys', '3'),
    ('SADD', B + 'idx:title:three', '3'),
    ('SADD', B + f'idx:author:{N}', '3'),
    ('SADD', B + f'idx:similar:{N}', '3'),
]
# Book 1 comes to be Bob's and similar to 3; book 2 loses its links (single ones raise there).
UPDATES = [
    ('HSET', B + 'data:1', 'author', '2'),
    ('SREM', B + 'idx:author:1', '1'),
    ('SADD', B + 'idx:author:2', '1'),
    ('HSET', B + 'data:1', 'similar', '3'),
    ('SREM', B + f'idx:similar:{N}', '1'),
    ('SADD', B + 'idx:similar:3', '1'),
    ('HSET', B + 'data:2', 'similar', N),
    ('SREM', B + 'idx:similar:1,2', '2'),
    ('SADD', B + f'idx:similar:{N}', '2'),
]
DELETES = [
    ('DEL', B + 'data:1'),
    ('SREM', B + 'keys', '1'),
    ('SREM', B + 'idx:title:one', '1'),
    ('SREM', B + 'idx:author:2', '1'),
    ('SREM', B + 'idx:similar:3', '1'),
]


@pytest.fixture
def play(raw, watch_models):
    """Sends commands as they stand; returns what the database then holds."""
    watch_models(Author, Book)

    def send(*groups):
        for command in (command for group in groups for command in group):
            raw.execute_command(*command)
        return dump(raw)

    return send


def written_here(*steps):
    ann, bob = Author(name='Ann', born=1950), Author(name='Bob')
    one = Book(title='one', author=ann)
    if 'insert' in steps:
        ann.save()
        bob.save()
        one.save()
        two = Book(title='two', author=bob)
        two.similar = [one, '2']
        two.save()
        Book(title='three').save()
    one, two = Book.objects.getMultiple([1, 2])
    if 'update' in steps:
        one.author, one.similar, two.similar = 2, [3], irNull
        Book.saver.save([one, two])
    if 'delete' in steps:
        one.delete()


def test_what_is_inserted_here_is_what_6_0_3_would_read(play, raw):
    expected = play(INSERTS)
    raw.flushall()
    written_here('insert')
    assert dump(raw) == expected


def test_a_cascading_save_writes_the_same(play, raw):
    expected = play(INSERTS)
    raw.flushall()
    one = Book(title='one', author=Author(name='Ann', born=1950))
    one.save()
    two = Book(title='two', author=Author(name='Bob'), similar=[one, 2])
    two.save()
    Book(title='three').save()
    assert dump(raw) == expected


def test_updates_and_deletes_of_either_version_leave_the_same(play, raw):
    for steps, here in ((UPDATES,), ('update',)), ((UPDATES, DELETES), ('update', 'delete')):
        raw.flushall()
        expected = play(INSERTS, *steps)
        raw.flushall()
        play(INSERTS)
        written_here(*here)
        assert dump(raw) == expected


def test_what_6_0_3_inserted_is_read(play):
    play(INSERTS)
    one, two, three = Book.objects.allByAge()
    assert (one.author.name, one.similar) == ('Ann', irNull)
    assert (two.author.name, [obj.title for obj in two.similar]) == ('Bob', ['one', 'two'])
    assert (three.author, three.similar, three.author__id) == (irNull, irNull, irNull)
    assert Book.objects.filter(author=one.author).getPrimaryKeys() == [1]
    assert Book.objects.filter(similar=[1, 2], author__ne=1).first().title == 'two'
    assert sorted(Book.objects.filter(similar=irNull).getPrimaryKeys()) == [1, 3]
    assert not any(obj.hasUnsavedChanges() for obj in (one, two, three))


def test_what_6_0_3_updates_and_deletes_reaches_handles_of_here(play):
    play(INSERTS)
    one, two = Book.objects.getMultiple([1, 2], cascadeFetch=True)
    play(UPDATES)
    assert set(one.reload()) == {'author', 'similar'}
    assert (one.author.name, one.similar[0].title) == ('Bob', 'three')
    assert set(two.reload()) == {'similar'}
    assert Book.objects.filter(author=2, similar=[3]).getPrimaryKeys() == [1]
    play(DELETES)
    with pytest.raises(KeyError):
        one.reload()
    one.title = 'changed'
    with pytest.raises(KeyError):
        one.save()
    assert Book.objects.filter(author=2).getPrimaryKeys() == [2]


@pytest.mark.damaged
@pytest.mark.parametrize(
    ('stored', 'pks'),
    [('', irNull), ('None', irNull), ('None,1', [1]), ('1,None,2', [1, 2]), ('None,None', irNull)],
)
def test_empty_multi_links_and_texts_None_of_6_0_3_are_read(play, raw, stored, pks):
    play(INSERTS)
    raw.srem(B + f'idx:similar:{N}', '3')
    raw.sadd(B + f'idx:similar:{stored}', '3')
    raw.hset(B + 'data:3', 'similar', stored)
    three = Book.objects.get(3, cascadeFetch=True)
    assert three.similar__id == pks
    assert len(three.similar) == (0 if pks is irNull else len(pks))
    assert not three.hasUnsavedChanges()
    three.title = 'changed'
    three.save()
    assert raw.hget(B + 'data:3', 'similar') == stored.encode()
    three.similar = [2]
    three.save()
    assert raw.smembers(B + f'idx:similar:{stored}') == set()
    assert Book.objects.filter(similar=[2]).getPrimaryKeys() == [3]
    three.delete()
    assert Book.objects.filter(similar=[2]).count() == 0


@pytest.mark.parametrize(
    ('number', 'given'), [('1', 1), ('2', '2'), (N, None), (N, 0), (N, irNull)]
)
def test_whatever_names_a_target_is_stored_as_its_pk(play, raw, number, given):
    play(INSERTS)
    Book(title='x', author=given).save()
    assert raw.hget(B + 'data:4', 'author') == number.encode()
    assert raw.sismember(B + f'idx:author:{number}', 4)


CHAINS = [
    (
        IRFieldChain('chain', [IRUnicodeField(encoding='utf-16'), IRCompressedField()]),
        *('é', b'x\xda\xfb\xff\xef%\x03\x00\x08\xcc\x02\xe7', '6f960acb092101be664385d026621d3b'),
    ),
    (
        IRFieldChain('chain', [IRField(), IRBase64Field()]),
        *('Hello World', b'SGVsbG8gV29ybGQ=', 'e87940b6df45d47268e367509f466873'),
    ),
    (
        IRFieldChain('chain', [IRField(valueType=int), IRBase64Field()]),
        *(14, b'MTQ=', 'de66190c2119decc6f388a713a66864b'),
    ),
    (IRFieldChain('chain', [IRField(), IRField()]), 'abc', b'abc', 'abc'),
    (
        IRFieldChain('chain', [IRField(), IRField()], hashIndex=True),
        *('abc', b'abc', '900150983cd24fb0d6963f7d28e17f72'),
    ),
]


@pytest.mark.parametrize(('field', 'value', 'stored', 'index'), CHAINS)
def test_chains_both_ways(make_model, raw, field, value, stored, index):
    null = '563e746fa69bd6749e2b7f83dadc17d4' if len(index) == 32 else N
    model = make_model([field.copy(), IRField('name')], ['chain'], key_name='Chained')
    base = '_ir_|Chained:'
    for pk, data, key in ((1, stored, index), (2, N, null)):
        raw.incr(base + 'next')
        raw.hset(f'{base}data:{pk}', mapping={'chain': data, 'name': N})
        raw.sadd(base + 'keys', pk)
        raw.sadd(f'{base}idx:chain:{key}', pk)
    expected = dump(raw)
    full, empty = model.objects.allByAge()
    assert (full.chain, empty.chain) == (value, irNull)
    assert model.objects.filter(chain=value).getPrimaryKeys() == [1]
    assert model.objects.filter(chain=irNull).getPrimaryKeys() == [2]
    raw.flushall()
    model.saver.save([model(chain=value), model()])
    assert dump(raw) == expected
    full, empty = model.objects.allByAge()
    full.chain, empty.chain = irNull, value
    model.saver.save([full, empty])
    assert raw.smembers(f'{base}idx:chain:{index}') == {b'2'}
    assert raw.smembers(f'{base}idx:chain:{null}') == {b'1'}
    model.objects.filter(chain=value).delete()
    assert raw.keys(f'{base}idx:chain:{index}') == []


def test_links_do_not_depend_on_the_default_encoding(play, raw):
    import IndexedRedis as IR

    expected = play(INSERTS)
    raw.flushall()
    IR.setDefaultIREncoding('latin-1')
    try:
        written_here('insert')
        assert Book.objects.filter(similar=[1, 2]).first(cascadeFetch=True).author.name == 'Bob'
    finally:
        IR.setDefaultIREncoding('utf-8')
    assert dump(raw) == expected


def test_stored_forms_of_the_fields_themselves():
    single, multi = IRForeignLinkField('x', Book), IRForeignMultiLinkField('x', Book)
    unsaved = Book(title='x')
    table = [
        (single, 1, '1', '1'),
        (single, '1', '1', '1'),
        (single, Book(_id=3), '3', '3'),
        (single, unsaved, N, N),
        (single, irNull, N, N),
        (multi, [1, '2', Book(_id=3)], '1,2,3', '1,2,3'),
        (multi, [None, 1, irNull], '1', '1'),
        (multi, [unsaved, 1], '1', '1'),
        (multi, [], N, N),
        (multi, irNull, N, N),
    ]
    for field, given, stored, index in table:
        value = field.fromInput(given)
        assert (field.toStorage(value), field.toIndex(value)) == (stored, index), given
    assert single.fromStorage(b'5').getPk() == 5
    assert multi.fromStorage(b'5,6').getPks() == [5, 6]
    assert single.fromStorage(N) is multi.fromStorage(N.encode()) is irNull


@pytest.mark.damaged
@pytest.mark.parametrize(('stored', 'key'), [('', N), ('None', N), ('None,1', '1')])
def test_a_reindex_mends_what_they_are_listed_under(play, raw, stored, key):
    play(INSERTS)
    raw.srem(B + f'idx:similar:{N}', '3')
    raw.sadd(B + f'idx:similar:{stored}', '3')
    raw.hset(B + 'data:3', 'similar', stored)
    assert Book.objects.reindex() == 3
    assert raw.smembers(B + f'idx:similar:{stored}') == set()
    assert raw.sismember(B + f'idx:similar:{key}', 3)
    assert raw.smembers(B + 'idx:similar:1,2') == {b'2'}


@pytest.mark.damaged
def test_a_multi_link_that_cannot_be_read_can_be_changed_and_deleted(play, raw):
    play(INSERTS)
    raw.sadd(B + 'idx:similar:x,\xff', '2')
    raw.hset(B + 'data:2', 'similar', b'x,\xff')
    two = Book.objects.get(2)
    with pytest.raises(ValueError, match=r'Book\.similar of the object with pk 2'):
        two.similar__id
    two.similar = [1]
    two.save()
    raw.hset(B + 'data:2', 'similar', b'x,\xff')
    assert Book.objects.get(2).delete() == 1
    assert Book.objects.count() == 2
