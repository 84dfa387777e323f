"""Mirroring one of several linked models. The rule: links of models that are not mirrored are never
broken in silence."""

from __future__ import annotations

import pytest

from IndexedRedis import GuardRefusedError, IRField
from IndexedRedis.fields import IRForeignLinkField, IRForeignMultiLinkField
from IndexedRedis.mirror import Mirror

ARTISTS = "SELECT 1 AS id, 'Ann' AS name UNION ALL SELECT 2, 'Bob' UNION ALL SELECT 3, 'Cy'"


@pytest.fixture
def artist(make_model):
    return make_model([IRField('id', valueType=int), IRField('name')], ['id'])


@pytest.fixture
def album(make_model, artist):
    """It is not mirrored, and links to artists."""
    link, links = IRForeignLinkField('artist', artist), IRForeignMultiLinkField('guests', artist)
    return make_model(['title', link, links], ['artist'])


def mirror(engine, artist, sql=ARTISTS, **rules):
    return Mirror(engine, {artist: sql}, keys={artist: 'id'}, **rules)


@pytest.mark.parametrize('how', [{'dryRun': True}, {}, {'mode': 'diff'}])
def test_links_to_new_pks_are_refused(lite, artist, album, how):
    mirror(lite, artist).run()
    mirror(lite, artist).run(**how)  # no album is stored yet
    album(title='a', artist=artist.objects.filter(id=1).first()).save()
    with pytest.raises(GuardRefusedError, match='the links of 1 objects would') as caught:
        mirror(lite, artist, 'SELECT 1 AS id').run(**how)
    for text in (f'{album.__name__}.artist links to it', f'{album.__name__}.guests links',
                 f'keepPks=[{artist.__name__}]', "no column feeds the field 'name'"):  # fmt: skip
        assert text in str(caught.value)
    assert album.objects.first().artist.name == 'Ann'


@pytest.mark.parametrize('mode', ['full', 'diff'])
def test_pks_that_are_kept(lite, artist, album, mode):
    mirror(lite, artist, keepPks=True).run()
    ann, bob = artist.objects.filter(id=1).first(), artist.objects.filter(id=2).first()
    album(title='a', artist=ann, guests=[bob, ann]).save()
    changed = ARTISTS.replace('Ann', 'Anna').replace('3', '4')
    report = mirror(lite, artist, changed, keepPks=[artist], maxChanges=1).run(mode=mode)
    assert report.mode == 'full'
    stored = album.objects.first()
    assert (stored.artist.name, [each.name for each in stored.guests]) == ('Anna', ['Bob', 'Anna'])
    assert {each.id for each in artist.objects.all()} == {1, 2, 4}
    mirror(lite, artist, 'SELECT 2 AS id, 9 AS name', keepPks=True, maxDrop=None).run()
    assert album.objects.check().dangling == 2


def test_pks_of_composite_keys_are_kept(lite, artist, make_model):
    line = make_model([IRForeignLinkField('artist', artist), IRField('pos')], ['artist', 'pos'])
    rows = 'SELECT 1 AS artist, 1 AS pos UNION ALL SELECT 1, 2 UNION ALL SELECT 2, 1'
    pks = []
    for _ in range(2):
        Mirror(
            lite,
            {artist: ARTISTS, line: rows},
            keys={artist: 'id', line: ('artist', 'pos')},
            keepPks=True,
        ).run()
        pks.append({(each.artist.id, each.pos): each._id for each in line.objects.all()})
    assert pks[0] == pks[1]
    assert len(pks[0]) == 3


def test_a_model_of_a_mirror_may_link_by_a_field_that_is_not_fed(lite, artist, make_model):
    other = make_model([IRField('id', valueType=int), IRForeignLinkField('artist', artist)])
    mirror(lite, artist).run()
    other(id=1).save()
    selects = {artist: ARTISTS, other: 'SELECT 1 AS id'}
    Mirror(lite, selects, keys={artist: 'id'}, defaults={other: ['artist']}).run()
