"""The one flow behind every SCAN and SSCAN, played against scripted pages."""

from __future__ import annotations

from IndexedRedis._core.flows import ask, scan
from IndexedRedis.executors.recording import RecordingExecutor


def test_sets_are_scanned_side_by_side_until_the_last_is_done():
    seen = []

    def act(*pages):
        seen.append(pages)
        return ()

    server = RecordingExecutor(
        [
            [[b'7', [b'1', b'2']], [b'0', [b'3']], 1],
            [[b'9', []], 1],
            [[0, [b'4']], 1],  # RESP3 gives numbers
        ]
    )
    server.run(scan(act, b'one', b'two', count=50, extend=[('PING',)]))
    assert seen == [([b'1', b'2'], [b'3']), ([], []), ([b'4'], [])]
    assert server.trips == [
        [('SSCAN', b'one', b'0', 'COUNT', 50), ('SSCAN', b'two', b'0', 'COUNT', 50), ('PING',)],
        [('SSCAN', b'one', b'7', 'COUNT', 50), ('PING',)],
        [('SSCAN', b'one', b'9', 'COUNT', 50), ('PING',)],
    ]


def test_each_page_is_dealt_with_before_the_next_is_asked_for():
    server = RecordingExecutor([[[b'7', [b'a', b'b']]], [1], [[b'0', [b'c']]], [1]])
    server.run(scan(lambda page: ask('UNLINK', *page), count=10, match=b'*'))
    assert [trip[0] for trip in server.trips] == [
        ('SCAN', b'0', 'MATCH', b'*', 'COUNT', 10),
        ('UNLINK', b'a', b'b'),
        ('SCAN', b'7', 'MATCH', b'*', 'COUNT', 10),
        ('UNLINK', b'c'),
    ]


def test_progress_grows_to_the_total_whatever_the_pages_hold():
    keys, members = [], []
    pages = [[[b'7', [b'a']]], [[b'9', []]], [[b'0', [b'b', b'c']]]]
    RecordingExecutor([[25], *pages]).run(
        scan(lambda page: (), count=20, tell=lambda *told: keys.append(told))
    )
    RecordingExecutor([[2], *pages]).run(
        scan(lambda page: (), b'set', count=20, tell=lambda *told: members.append(told))
    )
    assert keys == [(20, 25), (25, 25), (25, 25)]
    assert members == [(1, 2), (1, 2), (2, 2)]
