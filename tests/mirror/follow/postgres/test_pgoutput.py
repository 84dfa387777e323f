"""The decoder, on messages that a real server sent; `record.py` wrote them down."""

from __future__ import annotations

import struct
from copy import copy
from datetime import UTC, datetime

import pytest

from IndexedRedis.mirror.follow.log import LogLostError
from IndexedRedis.mirror.follow.postgres.pgoutput import (
    UNCHANGED,
    Begin,
    Decoder,
    Delete,
    Described,
    End,
    Insert,
    Message,
    Origin,
    Relation,
    StreamAbort,
    StreamStart,
    StreamStop,
    Truncate,
    Type,
    Update,
)
from mirror.follow.postgres import recorded

CODE, ARTIST, ALBUM = 0x4002, 0x4003, 0x400A
INT, TEXT, DATE = 23, 25, 1082
LARGE = b'x' * 2100
NAMES = [name for name in dir(recorded) if name.isupper()]


def events(messages):
    decoder = Decoder()
    return [decoder.decode(message) for message in messages]


def test_a_transaction_of_inserts():
    begin, kind, relation, first, second, end = events(recorded.INSERT)
    assert begin == Begin(0x2D7)
    assert kind == Type(CODE, 'pg_catalog', 'int4')
    columns = (Described('id', CODE, -1, True), Described('name', TEXT, -1, False))
    assert relation == Relation(ARTIST, 'public', 'artist', columns)
    assert first == Insert(ARTIST, [b'1', 'Björk'.encode()])
    assert second == Insert(ARTIST, [b'2', None])
    assert type(end) is End
    assert (end.xid, end.ends - end.begins) == (None, 48)
    assert end.at.tzinfo is UTC


def test_an_update_that_leaves_the_key_has_no_old_row():
    assert events(recorded.UPDATE)[1] == Update(ARTIST, None, [b'1', b'B'])


def test_an_update_of_the_key_has_the_old_key():
    assert events(recorded.UPDATE_KEY)[1] == Update(ARTIST, [b'1', None], [b'3', b'B'])


def test_a_large_value_that_an_update_leaves_is_unchanged():
    *_, insert, update, _ = events(recorded.UPDATE_LARGE)
    assert insert == Insert(ALBUM, [b'1', LARGE])
    assert update == Update(ALBUM, [b'1', LARGE], [b'2', UNCHANGED])


def test_deletes_have_the_key_or_the_whole_old_row():
    _, by_key, whole, _ = events(recorded.DELETE)
    assert by_key == Delete(ARTIST, [b'3', None])
    assert whole == Delete(ALBUM, [b'2', LARGE])


def test_a_truncate_names_its_tables():
    assert events(recorded.TRUNCATE)[-2] == Truncate((ARTIST, ALBUM))


def test_an_altered_table_is_described_again():
    relation = events(recorded.ALTER)[2]
    assert relation.columns[2] == Described('born', DATE, -1, False)


def test_a_transaction_from_another_server_names_it_and_has_its_time():
    _, origin, _, end = events(recorded.ORIGIN)
    assert origin == Origin('north')
    assert end.at == datetime(2020, 1, 1, tzinfo=UTC)


def test_a_streamed_transaction_comes_in_blocks():
    started, *_ = streamed = events(recorded.STREAMED)
    assert started == StreamStart(0x2DE)
    assert streamed.count(StreamStop()) == streamed.count(started) == 2
    assert Insert(ARTIST, [b'1001', None, None]) in streamed
    assert Truncate((ALBUM,)) in streamed
    assert type(streamed[-1]) is End
    assert streamed[-1].xid == 0x2DE


def test_rollbacks_of_a_streamed_transaction_and_of_its_part():
    part = events(recorded.STREAMED_SAVEPOINT)
    assert StreamAbort(0x2DF, 0x2E0) in part
    assert part[-1].xid == 0x2DF
    assert events(recorded.STREAMED_ROLLBACK)[-1] == StreamAbort(0x2E2, 0x2E2)


def test_a_message_of_a_program():
    head = struct.pack('>BQ', 1, 0x1234)
    message = head + b'prefix\0' + struct.pack('>I', 3) + b'abc'
    decoder = Decoder()
    assert decoder.decode(b'M' + message) == Message('prefix', b'abc')
    decoder.decode(recorded.STREAMED[0])
    assert decoder.decode(b'M' + struct.pack('>I', 7) + message) == Message('prefix', b'abc')


@pytest.mark.parametrize('name', NAMES)
def test_a_message_that_ends_early_is_refused(name):
    """At each length, or it says the same: text and columns are never cut silently."""
    decoder = Decoder()
    for message in getattr(recorded, name):
        before = copy(decoder)
        whole = decoder.decode(message)
        for length in range(len(message)):
            try:
                cut = copy(before).decode(message[:length])
            except LogLostError:
                continue
            assert cut == whole, (message, length)


def test_a_message_of_an_unknown_kind_is_refused():
    for message in (b'', b'b', b'?abc'):
        with pytest.raises(LogLostError, match='unknown kind'):
            Decoder().decode(message)


def test_a_binary_value_is_refused():
    message = recorded.INSERT[3].replace(b't\x00\x00\x00\x01', b'b\x00\x00\x00\x01')
    with pytest.raises(LogLostError, match='as text'):
        Decoder().decode(message)
