"""Damage of every kind, done with raw commands to three stored songs. The rule: each says what a
check must count, and what its examples must name."""

from __future__ import annotations

from typing import Any, NamedTuple

import redis

NAME = 'A'
BASE = f'_ir_|{NAME}:'
SONGS = [('Waterloo', 'Abba', 1974, 'Waterloo'), ('Fernando', 'Abba', 1976, 'Arrival')]
SONGS += [('T.N.T.', 'AC/DC', 1976, 'High Voltage')]


class Damage(NamedTuple):
    """Commands, each a line; the counts; texts that an example of each kind must hold."""

    commands: str
    counts: dict[str, int]
    texts: tuple[str, ...]

    def do(self, client: redis.Redis, base: str = BASE) -> None:
        """Do it. `K:` at the beginning of a word is the prefix of the model's keys."""
        for line in self.commands.splitlines():
            words = [word.replace('|', ' ').replace('K:', base, 1) for word in line.split()]
            client.execute_command(*['' if word == '""' else word for word in words])


def _damage(commands: str, *texts: str, **counts: int) -> Damage:
    return Damage(commands, counts, texts)


REPAIRABLE: dict[str, Any] = {
    'row gone': _damage(
        'DEL K:data:2',
        *(f'pk 2 is listed in {BASE}keys', f'{BASE}idx:artist:Abba lists pk 2, which is no'),
        row_missing=1,
        entry_gone=3,
    ),
    'pk without row': _damage('SADD K:keys 3 77', 'pk 77 is listed', row_missing=1),
    'ghost': _damage('HSET K:data:9 title x', f'{BASE}data:9 never', row_unlisted=1),
    'half': _damage(
        'SREM K:keys 2',
        *(f'{BASE}data:2 never expires', f'{BASE}idx:year:1976 lists pk 2, which'),
        row_unlisted=1,
        entry_gone=3,
    ),
    'listed row expires': _damage('EXPIRE K:data:2 1000', f'{BASE}data:2 is going', row_expiring=1),
    'stale entry': _damage(
        'SADD K:idx:artist:Queen 1',
        f"{BASE}idx:artist:Queen lists pk 1, whose artist is stored as 'Abba'",
        entry_stale=1,
    ),
    'stale entry of a hashed index': _damage(
        'SADD K:idx:album:Waterloo 1', f'{BASE}idx:album:Waterloo lists pk 1', entry_stale=1
    ),
    'changed row': _damage(
        'HSET K:data:1 artist Queen',
        f"{BASE}idx:artist:Abba lists pk 1, whose artist is stored as 'Queen'",
        f"{BASE}idx:artist:Queen does not list pk 1, whose artist is stored as 'Queen'",
        entry_stale=1,
        entry_missing=1,
    ),
    'field gone': _damage(
        'HDEL K:data:1 year',
        f'{BASE}idx:year:1974 lists pk 1, whose year is stored as nothing',
        f'{BASE}idx:year:IRNullType() does not list pk 1',
        entry_stale=1,
        entry_missing=1,
    ),
    'entry of a stranger': _damage(
        'SADD K:idx:artist:Abba 9', 'lists pk 9, which is no stored object', entry_gone=1
    ),
    'entries that are no pks': _damage(
        'SADD K:idx:artist:Abba None 01 ""', 'lists pk None', 'lists pk 01', entry_gone=3
    ),
    'index set of strangers': _damage('SADD K:idx:year:x 7 8', 'year:x lists pk 7', entry_gone=2),
    'entry gone': _damage(
        'SREM K:idx:artist:Abba 1',
        f"{BASE}idx:artist:Abba does not list pk 1, whose artist is stored as 'Abba'",
        entry_missing=1,
    ),
    'index set gone': _damage('DEL K:idx:year:1976', 'year:1976 does not list', entry_missing=2),
    'unused indexes': _damage(
        'SADD K:idx:genre:rock 1 2\nSADD K:idx:artists:Abba 1\nSADD K:idx:artist 1',
        *(f'{BASE}idx:genre:rock is the index', 'idx:artists:Abba is', 'idx:artist is'),
        index_unused=3,
    ),
    'low counter': _damage('SET K:next 2', f"{BASE}next holds '2'", counter_low=1),
    'no counter': _damage('DEL K:next', f"{BASE}next holds ''", counter_low=1),
    'text in the counter': _damage('SET K:next abc', "holds 'abc'", counter_low=1),
    'zeros in the counter': _damage('SET K:next 007', "holds '007'", counter_low=1),
    'counter beyond': _damage(
        f'SET K:next {2**53 - 1}', f"{BASE}next holds '{2**53 - 1}'", counter_high=1
    ),
    'counter of many digits': _damage(
        f'SET K:next {10**30}', f"{BASE}next holds '{10**30}'", counter_high=1
    ),
    'no pks': _damage(
        'SADD K:keys abc 007 -1 0 ""',
        *(f'{BASE}keys lists abc, which is no pk', 'lists 007', 'lists -1', 'lists 0,'),
        pk_invalid=5,
    ),
    'keys that expire': _damage(
        'EXPIRE K:keys 1000\nEXPIRE K:next 1000\nEXPIRE K:idx:artist:Abba 1000',
        *(f'{BASE}keys is going to expire', f'{BASE}next is', f'{BASE}idx:artist:Abba is'),
        key_expiring=3,
    ),
    'work keys of nobody': _damage(
        'SADD K:tmp:token:sets x\nSET K:tmp:lock token\nHSET K:tmp:token:data:1 title x',
        *(f'{BASE}tmp:token:sets is what a dead reset left', f'{BASE}tmp:lock is'),
        leftover=3,
    ),
    'work keys of nobody, of another type': _damage(
        'HSET K:tmp:token:sets a b\nSET K:tmp:touched x', 'tmp:touched is what', leftover=2
    ),
    'reset that died staging': _damage(
        'HSET K:tmp:resets token staging\nSADD K:tmp:token:ranges 4|2\nHSET K:data:4 title x\n'
        'SADD K:tmp:token:keys 4\nSADD K:tmp:token:sets K:tmp:token:keys\nINCRBY K:next 2',
        f'{BASE}tmp:resets is what a dead reset left: token',
        leftover=1,
    ),
    'reset that died after its swap': _damage(
        'HSET K:tmp:resets token swapped\nHSET K:data:9 artist x\nSADD K:tmp:token:old 9\n'
        'SET K:next 9',
        f'{BASE}tmp:resets is what a dead reset left: token',
        leftover=1,
    ),
    'much at once': _damage(
        'DEL K:data:1\nHSET K:data:3 artist x\nSET K:next 0\nSADD K:keys 5 none\n'
        'HSET K:data:8 title x\nSADD K:idx:genre:x 5\nEXPIRE K:data:2 1000',
        'pk 1 is listed',
        **{'row_missing': 2, 'entry_gone': 3, 'entry_stale': 1, 'entry_missing': 1},
        **{'counter_low': 1, 'pk_invalid': 1, 'row_unlisted': 1, 'index_unused': 1},
        row_expiring=1,
    ),
}

# Members of the work keys of a reset that died, none of which a reset lists.
JUNK: dict[str, tuple[Any, ...]] = {
    'ranges': ('x', '', '4', '4 -2', '4 2 1', '0 2', '01 1', b'\xff 1', '1 9007199254740991'),
    'brought': ('abc', '01', '-1'),
    'old': ('', '1 2'),
    'sets': (f'{BASE}keys', f'_ir_|{NAME}:B:keys', f'{BASE}tmp:other:keys', 'x'),
}


def spoil(client: redis.Redis) -> None:
    """Put `JUNK` into the work keys of a dead reset."""
    REPAIRABLE['reset that died staging'].do(client)
    for name, members in JUNK.items():
        client.sadd(f'{BASE}tmp:token:{name}', *members)


FOR_PEOPLE: dict[str, Any] = {
    'row of another type': _damage(
        'DEL K:data:2\nSET K:data:2 x', f'{BASE}data:2 holds a string', wrong_type=1
    ),
    'unlisted row of another type': _damage('SET K:data:9 x', 'data:9 holds a', wrong_type=1),
    'index set of another type': _damage(
        'DEL K:idx:artist:Abba\nSET K:idx:artist:Abba x', 'artist:Abba holds a', wrong_type=1
    ),
    'unused index of another type': _damage('SET K:idx:genre:x x', 'genre:x holds', wrong_type=1),
    'counter of another type': _damage(
        'DEL K:next\nLPUSH K:next x', f'{BASE}next holds a list', wrong_type=1
    ),
    'listed pks of another type': _damage(
        'DEL K:keys\nSET K:keys x', f'{BASE}keys holds a string', wrong_type=1
    ),
    'record of another type': _damage('SET K:tmp:resets x', 'tmp:resets holds', wrong_type=1),
    'dead reset that cannot be swept': _damage(
        'HSET K:tmp:resets token staging\nSET K:tmp:token:ranges x\nHSET K:data:9 title x\n'
        'SET K:next 9',
        f'{BASE}tmp:token:ranges holds a string',
        leftover=1,
        wrong_type=1,
    ),
    'row without pk': _damage(
        'HSET K:data:abc title x\nHSET K:data:01 title x',
        *(f'{BASE}data:abc does not end in a pk', 'data:01 does'),
        key_unknown=2,
    ),
}


def fill(song: Any) -> Any:
    """Store the songs."""
    names = ('title', 'artist', 'year', 'album')
    song.saver.save([song(**dict(zip(names, row, strict=True))) for row in SONGS])
    return song
