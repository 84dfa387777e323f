"""``mode='diff'`` beside programs that write to the same models: the data is that of SQL then."""

from __future__ import annotations

import sqlalchemy as sa

from IndexedRedis import IndexedRedisModel, IRField
from IndexedRedis._core.resets.editions import changed, reset
from IndexedRedis.mirror import Mirror

metadata = sa.MetaData()
page = sa.Table('page', metadata, sa.Column('shop', sa.Integer), sa.Column('title', sa.String(9)))


class Page(IndexedRedisModel):
    FIELDS = [IRField('shop', valueType=int), IRField('title')]
    INDEXED_FIELDS = ['shop']
    KEY_NAME = 'PagesOfShops'
    PARTITIONS = 4
    PARTITION_BY = 'shop'


def test_what_was_equal_is_written_before_the_first_difference(lite, watch_models, monkeypatch):
    """The rows come once, so the first of them cannot be compared again."""
    watch_models(Page)
    monkeypatch.setattr(reset, 'BLOCK', 5)
    with lite.begin() as connection:
        metadata.create_all(connection)
        rows = [{'shop': n, 'title': f'page {n}'} for n in range(20)]
        connection.execute(sa.insert(page), rows)
    mirror = Mirror(lite, {Page: sa.select(page)}, keys={Page: 'shop'}, mode='diff')
    assert mirror.run().fallback == ''
    with lite.begin() as connection:
        connection.execute(sa.update(page).where(page.c.shop == 19).values(title='new'))
    again = changed._Change._again

    def after_a_write(*args):
        Page.objects.filter(shop=0).update(title='other')
        return (yield from again(*args))

    monkeypatch.setattr(changed._Change, '_again', after_a_write)
    report = mirror.run()
    assert report.mode == 'full'
    assert 'changed' in report.fallback
    with lite.connect() as connection:
        wanted = sorted(map(tuple, connection.execute(sa.select(page))))
    assert sorted(Page.objects.valuesList('shop', 'title')) == wanted
    assert wanted[0] == (0, 'page 0')
