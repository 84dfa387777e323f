"""Each SQL type of the reference page comes through the log as a select gives it."""

from __future__ import annotations

import pytest

from IndexedRedis import irNull
from IndexedRedis.mirror import Mirror
from IndexedRedis.mirror.scaffold import scaffold_database
from mirror.follow.conftest import Beside
from mirror.sql_samples import SAMPLES, SETUP, Refused, create
from mirror.written import imported

pytestmark = pytest.mark.mirrors


def test_each_value_comes_through(logged, watch_models):
    kind = logged.dialect.name
    samples = {
        f't{number}': sample
        for number, sample in enumerate(SAMPLES[kind])
        if not isinstance(sample, Refused)
    }
    inserts = []
    with logged.begin() as connection:
        for statement in SETUP.get(kind, ()):
            connection.exec_driver_sql(statement)
        for table, sample in samples.items():
            for statement in create(table, sample):
                if statement.startswith('INSERT'):
                    inserts.append(statement)
                else:
                    connection.exec_driver_sql(statement)
    module = imported(scaffold_database(logged, [*samples]))
    models = {table: module.models[table.upper()] for table in samples}
    watch_models(*models.values())
    selects = {source.model: source.statement for source in module.mirror._sources}
    mirror = Mirror(
        logged,
        selects,
        keys=dict.fromkeys(selects, 'id'),
        follow={model: [(table, 'id')] for table, model in models.items()},
        allowEmpty=True,
    )
    following = Beside(logged).start(mirror)
    try:
        following.until(lambda: mirror.status() is not None)
        with logged.begin() as connection:
            for statement in inserts:
                connection.exec_driver_sql(statement)
        following.until(lambda: mirror.status().commits)
        assert [*wrong(models, samples)] == []
        assert mirror.status().swaps == 1
    finally:
        following.stop()
        mirror.unfollow()


def wrong(models, samples):
    for table, sample in samples.items():
        row = models[table].objects.filter(id=1).first()
        value = None if row is None or row.v is irNull else row.v
        if value != sample.value or not isinstance(value, type(sample.value)):
            yield sample, value
