"""The Lua scripts: their comments, their names, and what only concurrent writers lead to."""

from __future__ import annotations

import itertools
import pathlib
import re
import time

import pytest

from IndexedRedis._core.script import load_all

CORE = pathlib.Path(load_all.__code__.co_filename).parent


def test_pks_in_use_stay_listed(raw):
    """Those that somebody saved again under a given pk, after a reset had replaced them."""
    (prune,) = (script for script in load_all() if script.name == 'prune')
    for used, left in (((), ({b'9'}, set())), ((2,), ({b'2', b'9'}, {b'2'}))):
        raw.flushdb()
        raw.sadd('all', 9, *used)
        raw.sadd('a', 1, 2, 3, 9)
        raw.sadd('b', 2, 3)
        keys, pks = ('all', 'record', 'a', 'b'), (3, 1, 2, 3, 3, 1, 2, 3, 2, 2, 3)
        before = raw.smembers('a'), raw.smembers('b')
        assert raw.eval(prune.text, 4, *keys, 'token', *pks) == 0
        assert (raw.smembers('a'), raw.smembers('b')) == before
        raw.hset('record', 'token', 'swapped')
        assert raw.eval(prune.text, 4, *keys, 'token', *pks) == 1
        assert (raw.smembers('a'), raw.smembers('b')) == left


def test_pks_in_use_stay_in_sorted_sets(raw):
    (unsort,) = (script for script in load_all() if script.name == 'unsort')
    entries = {b'1': 1.0, b'2': 2.0, b'9': 9.0}
    for used, left in (((), {b'9'}), ((2,), {b'2', b'9'}), ((1, 2), {*entries})):
        raw.flushdb()
        raw.sadd('all', 9, *used)
        raw.zadd('a', entries)
        keys, args = ('all', 'record', 'a', 'absent'), ('token', 1, 2)
        assert raw.eval(unsort.text, 4, *keys, *args) == 0
        assert {*raw.zrange('a', 0, -1)} == {*entries}
        raw.hset('record', 'token', 'swapped')
        assert raw.eval(unsort.text, 4, *keys, *args) == 1
        assert {*raw.zrange('a', 0, -1)} == left


def test_each_says_that_it_uses_keys_besides_KEYS(raw):
    """In a way that Dragonfly understands, and that others take for a comment."""
    scripts = load_all()
    assert len(scripts) > 40
    assert {script.text.partition(b'\n')[0] for script in scripts} == {
        b'--!df flags=allow-undeclared-keys'
    }
    for script in scripts:
        assert raw.script_load(script.text) == script.sha.decode()
    assert len({script.sha for script in scripts}) == len(scripts)


def test_touched_sets_stay_noted_while_a_dead_writer_is_on_record(raw):
    """They may list pks without objects, so `count()` must not use their sizes."""
    scripts = {script.name: script.text for script in load_all()}
    keys = ('lock', 'touched', 'record')
    raw.set('lock', 'token')
    raw.sadd('touched', 'set')
    raw.hset('record', 'dead', 'staging')
    assert raw.eval(scripts['begin'], 3, *keys, 'token') == 1
    raw.hdel('record', 'token')
    assert raw.eval(scripts['release'], 3, *keys, 'token') == 1
    assert raw.ttl('touched') == -1
    raw.set('lock', 'token')
    raw.delete('record')
    assert raw.eval(scripts['begin'], 3, *keys, 'token') == 1
    assert not raw.exists('touched')


def test_a_release_frees_the_note_of_touched_sets_outside_of_the_script(raw):
    """A note of 100,000 index sets would block the server for some 10 ms."""
    (release,) = (script for script in load_all() if script.name == 'release')
    raw.set('lock', 'token')
    raw.sadd('touched', *range(1000))
    before = raw.info('memory')['lazyfreed_objects']
    assert raw.eval(release.text, 3, 'lock', 'touched', 'record', 'token') == 2
    assert not raw.exists('lock', 'touched')
    for _ in range(500):
        if raw.info('memory')['lazyfreed_objects'] > before:
            break
        time.sleep(0.01)
    assert raw.info('memory')['lazyfreed_objects'] > before


PIECES = ('KEYS: ', 'ARGV: ', 'Returns ', 'Bounded: ')


def scripts_with_comments():
    """Yield each assignment of a Script, or of two, with the lines of the comment above it.

    The name of a pair comes twice, the second time with an ending.
    """
    for path in sorted(CORE.rglob('*.py')):
        lines = path.read_text('utf-8').splitlines()
        for number, line in enumerate(lines):
            if match := re.match(r'([A-Z_]+) = Script(Pair)?\(', line):
                above = itertools.takewhile(
                    lambda each: each.startswith('# '), lines[number - 1 :: -1]
                )
                comment = [each[2:] for each in above][::-1]
                for end in ('', '_SORTED') if match[2] else ('',):
                    yield match[1] + end, comment


def test_the_comment_of_each_script_has_the_same_form():
    """What it does; KEYS, ARGV, what it returns; what bounds the time that it takes."""
    scripts = dict(scripts_with_comments())
    for name, comment in scripts.items():
        labels = [each for each in PIECES for line in comment if line.startswith(each)]
        assert labels == list(PIECES), f'{name}: {comment}'
        assert re.match('[A-Z][a-z]+ ', comment[0]) and not comment[0].startswith(PIECES), name
    assert len(scripts) == len(load_all())


BUILTINS = {'KEYS', 'ARGV', 'redis', 'cmsgpack', 'math', 'string', 'table'}
BUILTINS |= {'error', 'ipairs', 'pcall', 'tonumber', 'tostring', 'type', 'unpack'}
KEYWORDS = {'and', 'break', 'do', 'else', 'elseif', 'end', 'false', 'for', 'function', 'if', 'in'}
KEYWORDS |= {'local', 'nil', 'not', 'or', 'repeat', 'return', 'then', 'true', 'until', 'while'}


def undefined_names(lua):
    """Return the names that a text uses without defining them above."""
    tokens = re.findall(r"'[^']*'|\.\.|[<>=~]=|\w+|\S", re.sub('--.*', '', lua))
    defined, defining = set(BUILTINS), False
    for before, token, after in zip(['', *tokens], tokens, [*tokens[1:], ''], strict=False):
        if token in ('local', 'for', 'function'):
            defining = True
        elif not re.match(r'[a-zA-Z_]', token) or token in KEYWORDS:
            defining = defining and token in (',', '(')
        elif defining:
            defined.add(token)
            defining = after in (',', '(')
        elif before not in ('.', ':') and not (before in ('{', ',') and after == '='):
            yield from {token} - defined


@pytest.mark.parametrize('script', load_all(), ids=lambda script: script.name)
def test_a_script_uses_only_names_that_it_defines_above(script):
    """A text is joined from pieces, and some pieces need others above them."""
    assert not set(undefined_names(script.text.decode()))


def test_a_forgotten_piece_is_found():
    assert [*undefined_names('for i, j in f(x) do local a = {b = i}; c(a.d) end')] == [
        'f',
        'x',
        'c',
    ]
    assert [*undefined_names('local function f(x, y) return x .. y .. z end')] == ['z']
