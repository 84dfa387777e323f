"""Ways of scripts that only others who write at the same moment lead to."""

from __future__ import annotations

from IndexedRedis._core.script import load_all


def test_pks_in_use_stay_listed(raw):
    """Those that somebody saved again under a given pk, after a reset had replaced them."""
    (prune,) = (script for script in load_all() if script.name == 'prune')
    for used, left in (((), ({b'9'}, set())), ((2,), ({b'2', b'9'}, {b'2'}))):
        raw.flushdb()
        raw.sadd('all', 9, *used)
        raw.sadd('a', 1, 2, 3, 9)
        raw.sadd('b', 2, 3)
        raw.eval(prune.text, 3, 'all', 'a', 'b', 3, 1, 2, 3, 3, 1, 2, 3, 2, 2, 3)
        assert (raw.smembers('a'), raw.smembers('b')) == left


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
