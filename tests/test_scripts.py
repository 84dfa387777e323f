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
