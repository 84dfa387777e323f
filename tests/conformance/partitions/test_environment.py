"""The environment of models with partitions is what it says: else its scenarios would prove
nothing."""

from __future__ import annotations

import re

from support import servers


def test_objects_are_spread_where_the_server_says_so(songs, raw, request, check):
    parted = servers.PARTED in request.node.callspec.params['server']
    assert bool(songs.PARTITIONS) is parted
    rows = [key for key in raw.scan_iter('*:data:*') if songs.KEY_NAME.encode() in key]
    places = {re.match(rb'_ir_\|(?:\{6\.(\d+)\}:keys:1:)?', key)[1] for key in rows}
    assert len(rows) == 6
    assert len(places) == (6 if parted else 1)
    assert (None in places) is not parted
    # The pks are those of a plain model, so that the scenarios need not know.
    assert songs.objects.getPrimaryKeys(True) == [1, 2, 3, 4, 5, 6]
    songs.reset([songs(title='new') for _ in range(3)])
    assert songs.objects.getPrimaryKeys(True) == [7, 8, 9]
    check(songs)


def test_the_judge_sees_damage_in_a_partition(songs, raw, watch, request):
    if servers.PARTED not in request.node.callspec.params['server']:
        assert watch.findings(songs) == []
        return
    (fence, *_) = sorted(raw.scan_iter(f'*:keys:0:{songs.KEY_NAME}:keys:edition'))
    told = raw.get(fence)
    raw.set(fence, '9 6')
    assert any('the fence of partition' in text for text in watch.findings(songs))
    raw.set(fence, told)
    assert watch.findings(songs) == []
