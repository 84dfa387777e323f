"""Which tables a statement may have changed. The rule: rather one too many than one too few."""

from __future__ import annotations

import pytest

from IndexedRedis.mirror.follow.mariadb.statements import changed_tables

TABLES = ('shop.track', 'shop.odd name', 'other.album', 'my shop.track')
TRACK = {'shop.track'}


@pytest.mark.parametrize(
    ('statement', 'schema', 'changed'),
    [
        ('TRUNCATE TABLE track', 'shop', TRACK),
        ('truncate Track', 'shop', TRACK),
        ('TRUNCATE TABLE track', 'elsewhere', set()),
        ('TRUNCATE shop.track', 'elsewhere', TRACK),
        ('TRUNCATE `shop` . `track`', '', TRACK),
        ('TRUNCATE elsewhere.track', 'shop', set()),
        ('DROP TABLE `elsewhere`.`track`, `track`', 'shop', TRACK),
        ('ALTER TABLE track_2 ADD COLUMN x INT', 'shop', set()),
        ('ALTER TABLE `odd name` DROP COLUMN x', 'shop', {'shop.odd name'}),
        ('RENAME TABLE album TO album_2, shop.track TO album', 'other', {*TRACK, 'other.album'}),
        ('DROP DATABASE shop', '', {*TRACK, 'shop.odd name'}),
        ('DROP SCHEMA IF EXISTS `other`', 'shop', {'other.album'}),
        ('/* a tool */ -- and\n # more\n ALTER TABLE track FORCE', 'shop', TRACK),
        ('/*!40000 ALTER TABLE `track` DISABLE KEYS */', 'shop', TRACK),
        ('CREATE OR REPLACE TABLE track (id INT)', 'shop', TRACK),
        ('CREATE TABLE IF NOT EXISTS track (id INT)', 'shop', set()),
        ('OPTIMIZE TABLE track', 'shop', set()),
        ("GRANT SELECT ON track TO someone@'%'", 'shop', set()),
        # A trigger, or a view, may write to any table.
        ('INSERT INTO something VALUES (1)', 'shop', set(TABLES)),
        ('  delete from something', 'elsewhere', set(TABLES)),
        # What is inside another statement may be any.
        ('SET STATEMENT max_statement_time=5 FOR TRUNCATE TABLE something', 'shop', set(TABLES)),
        ('SET @x = 1', 'shop', set()),
        ('/*!50000 TRUNCATE TABLE something */', 'shop', set()),
        ('/*!50000 TRUNCATE TABLE track */', 'shop', TRACK),
        ('/* a tool *//*M!100100 INSERT INTO something VALUES (1) */', 'shop', set(TABLES)),
        ('TRUNCATE TABLE `my shop`.`track`', 'my shop', {'my shop.track'}),
        ('TRUNCATE TABLE `my ``shop`.track', 'my shop', set()),
        ('TRUNCATE TABLE track', 'my shop', {'my shop.track'}),
        ('', 'shop', set()),
    ],
)
def test_tables_that_may_have_changed(statement, schema, changed):
    assert changed_tables(statement, schema, TABLES) == changed
